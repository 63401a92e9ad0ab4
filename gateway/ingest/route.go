package ingest

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

// entry is one line of the route table: a path with at most one parameter in the middle.
type entry struct {
	route          Route
	methods        string // as Allow shows them
	prefix, suffix string // without a parameter suffix is empty
	param          bool
	serve          func(s *Server, ctx *fasthttp.RequestCtx, param []byte) (bytesIn int)
}

// table is every route of the data plane. The most used comes first.
var table = [...]entry{ //nolint:gochecknoglobals // a table that is only read
	{route: RouteRecords, methods: "POST", prefix: "/v1/topics/", suffix: "/records", param: true, serve: (*Server).serveRecords},
	{route: RouteTransactions, methods: "POST", prefix: transactionsPath, serve: (*Server).serveTransactions},
	{route: RouteHealth, methods: "GET, HEAD", prefix: "/healthz", serve: (*Server).serveHealth},
	{route: RouteReady, methods: "GET, HEAD", prefix: "/readyz", serve: (*Server).serveReady},
}

// at returns the parameter if path is of this entry.
func (e *entry) at(path []byte) (param []byte, ok bool) {
	if !e.param {
		return nil, string(path) == e.prefix
	}
	n := len(path) - len(e.suffix)
	if n <= len(e.prefix) || string(path[:len(e.prefix)]) != e.prefix || string(path[n:]) != e.suffix {
		return nil, false
	}
	param = path[len(e.prefix):n]
	return param, bytes.IndexByte(param, '/') < 0
}

// match finds the entry, or answers 404 or 405 and returns nil. The path is taken as it was sent: an encoded slash does
// not separate.
func (s *Server) match(ctx *fasthttp.RequestCtx) (*entry, []byte) {
	path := ctx.URI().PathOriginal()
	for i := range table {
		e := &table[i]
		param, ok := e.at(path)
		if !ok {
			continue
		}
		if !allows(e.methods, text(ctx.Method())) {
			ctx.Response.Header.Set(fasthttp.HeaderAllow, e.methods)
			s.problemStatus(ctx, fasthttp.StatusMethodNotAllowed, record.Errorf(record.Invalid, "%s is not allowed here; %s is",
				ctx.Method(), e.methods))
			return nil, nil
		}
		return e, param
	}
	s.problemStatus(ctx, fasthttp.StatusNotFound, record.Errorf(record.Invalid,
		"no such path; records are sent with POST /v1/topics/{topic}/records or POST /v1/transactions"))
	return nil, nil
}

// allows says whether method is in the list.
func allows(methods, method string) bool {
	for m := range strings.SplitSeq(methods, ", ") {
		if m == method {
			return true
		}
	}
	return false
}

// unescape appends p to dst with its percent-encoding (RFC 3986) decoded.
func unescape(dst, p []byte) ([]byte, *record.Error) {
	for i := 0; i < len(p); i++ {
		if p[i] != '%' {
			dst = append(dst, p[i])
			continue
		}
		if i+2 >= len(p) || unhex(p[i+1]) < 0 || unhex(p[i+2]) < 0 {
			return nil, record.Errorf(record.Invalid, "the topic in the path has a %% that is not followed by two hexadecimal digits")
		}
		dst = append(dst, byte(unhex(p[i+1])<<4|unhex(p[i+2])))
		i += 2
	}
	return dst, nil
}

// unhex is the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}
