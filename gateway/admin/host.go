package admin

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// guard refuses requests whose Host is not a loopback name while the server listens on loopback: no credentials are asked
// for there, and a web page that binds its own name to 127.0.0.1 could read along in the user's browser (DNS rebinding).
func guard(listen string, next http.Handler) http.Handler {
	if !loopback(listen) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			fail(w, failf(http.StatusMisdirectedRequest, codeHost,
				"host %q: admin.listen = %q answers only to localhost and loopback addresses", r.Host, listen))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback says whether host, with or without a port, is localhost or a loopback address.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// sameOrigin refuses what a page of another site has a user's browser send: browsers let any page send simple POST requests
// to localhost. Requests without a browser are not meant, and not touched.
func sameOrigin(next http.Handler) http.Handler {
	c := http.NewCrossOriginProtection()
	c.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := "a page of another origin"
		if origin := r.Header.Get("Origin"); origin != "" { // else Sec-Fetch-Site said so
			page += " (" + strconv.Quote(origin) + ")"
		}
		fail(w, failf(http.StatusForbidden, codeCrossOrigin, "%s from %s is refused", r.Method, page))
	}))
	return c.Handler(next)
}
