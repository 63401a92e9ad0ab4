package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// embedded is the bootstrap.servers that means the in-process broker.
const embedded = "embedded"

// checkGlobal applies the rules to the sections that are not a topic's.
func (r *resolver) checkGlobal(g map[string]layer) {
	r.checkBootstrap(settings{g["kafka"]})
	r.checkSecurity(settings{g["kafka"]})
	r.checkHTTP(settings{g["http"]})
	r.checkWasm(settings{g["wasm"]}, g)
	r.checkTransactions(g)
	for _, section := range []string{"http", "admin", "embedded"} {
		r.checkListen(section, g[section]["listen"])
	}
	admin := g["admin"]["listen"]
	if a, _ := admin.value.(string); !isLoopback(a) && listenRule(a) == "" {
		r.fail("admin.listen", admin, "must be a loopback address, because the admin API asks for no credentials")
	}
	r.checkPorts(g)
}

func (r *resolver) checkBootstrap(s settings) {
	g, ok := s.layer["bootstrap.servers"]
	if !ok && r.file.torn || g.bad {
		return
	}
	if !ok {
		r.errs = append(r.errs, &Error{
			File: r.file.name, Line: max(r.file.lines["kafka"], 1), Key: "kafka.bootstrap.servers",
			Rule: `must be set: brokers as host:port, or "embedded" for the in-process broker`,
		})
		return
	}
	servers, _ := g.value.([]string)
	switch {
	case len(servers) == 0:
		r.fail("kafka.bootstrap.servers", g, "must name at least one broker")
	case len(servers) > 1 && slices.Contains(servers, embedded):
		r.fail("kafka.bootstrap.servers", g, `"embedded" must stand alone`)
	case servers[0] == embedded:
		if p := s.layer["security.protocol"]; p.value != "PLAINTEXT" {
			r.fail("kafka.security.protocol", p, fmt.Sprintf(
				"must be PLAINTEXT with the embedded broker; bootstrap.servers = \"embedded\" (%s)", g.origin.where()))
		}
	default:
		for _, server := range servers {
			if rule := addressRule(server, 1); rule != "" {
				r.fail("kafka.bootstrap.servers", g, fmt.Sprintf("%q: %s", server, rule))
			}
		}
	}
}

func (r *resolver) checkHTTP(s settings) {
	r.atLeast("http", s, "max.inflated.bytes", "max.body.bytes")
	r.atLeast("http", s, "receive.memory", "max.body.bytes")
	r.atLeast("http", s, "max.inflated.bytes", "max.record.header.bytes")
	r.atLeast("http", s, "idempotency.max.bytes", "idempotency.answer.max.bytes")
}

// atLeast refuses a setting that is smaller than another one of its section, at the one that the file names.
func (r *resolver) atLeast(section string, s settings, name, other string) {
	if s.int(name) >= s.int(other) {
		return
	}
	key, rule := name, "must be at least "+section+"."+other
	if !s.explicit(name) && s.explicit(other) {
		key, other, rule = other, name, "must be at most "+section+"."+name
	}
	o := s.layer[other]
	if o.bad {
		return
	}
	r.fail(section+"."+key, s.layer[key], fmt.Sprintf("%s = %s (%s)", rule, o, o.origin.where()))
}

func (r *resolver) checkListen(section string, g given) {
	addr, _ := g.value.(string)
	if rule := listenRule(addr); rule != "" {
		r.fail(section+".listen", g, rule)
	}
}

// checkPorts refuses two listeners on one address.
func (r *resolver) checkPorts(g map[string]layer) {
	sections := []string{"http", "admin"}
	if servers, _ := g["kafka"]["bootstrap.servers"].value.([]string); slices.Contains(servers, embedded) {
		sections = append(sections, embedded)
	}
	for i, a := range sections {
		for _, b := range sections[i+1:] {
			one, two := g[a]["listen"], g[b]["listen"]
			if !sameAddress(one.value, two.value) {
				continue
			}
			if one.origin.Line > two.origin.Line {
				a, b, one, two = b, a, two, one
			}
			r.fail(b+".listen", two, fmt.Sprintf("is taken by %s.listen (%s)", a, one.origin.where()))
		}
	}
}

func sameAddress(a, b any) bool {
	s, _ := a.(string)
	_, port, err := net.SplitHostPort(s)
	return a == b && err == nil && port != "0"
}

// addressRule says what is wrong with host:port; "" if nothing. The smallest port is 0 for listeners.
func addressRule(addr string, smallest int) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "must be host:port"
	}
	if n, err := strconv.Atoi(port); err != nil || n < smallest || n > 65535 {
		return fmt.Sprintf("must have a port from %d to 65535", smallest)
	}
	if smallest > 0 && host == "" || strings.ContainsAny(host, " \t/@") {
		return "must have the name or address of a host before the port"
	}
	return ""
}

func listenRule(addr string) string { return addressRule(addr, 0) }

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
