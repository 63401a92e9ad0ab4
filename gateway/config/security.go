package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkSecurity refuses what security.protocol leaves without effect: a password or a certificate that is silently not
// used is a hole. Java is silent there.
func (r *resolver) checkSecurity(s settings) {
	protocol := s.string("security.protocol")
	p := s.layer["security.protocol"]
	sasl, tls := strings.HasPrefix(protocol, "SASL_"), strings.HasSuffix(protocol, "SSL")
	for _, name := range slices.Sorted(maps.Keys(s.layer)) {
		unused := strings.HasPrefix(name, "sasl.") && !sasl || strings.HasPrefix(name, "ssl.") && !tls
		if unused && s.explicit(name) {
			r.fail("kafka."+name, s.layer[name], fmt.Sprintf(
				"has no effect with security.protocol = %s (%s)", protocol, p.origin.where()))
		}
	}
	if sasl {
		r.checkLogin(s, p)
	}
	if tls {
		r.checkStores(s)
	}
}

func (r *resolver) checkLogin(s settings, protocol given) {
	mechanism, ok := s.layer["sasl.mechanism"]
	if !ok {
		r.fail("kafka.security.protocol", protocol, "needs sasl.mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	}
	jaas, ok := s.layer["sasl.jaas.config"]
	if !ok {
		for _, name := range []string{"sasl.username", "sasl.password"} {
			if s.string(name) == "" {
				r.fail("kafka.security.protocol", protocol, "needs "+name)
			}
		}
		return
	}
	for _, name := range []string{"sasl.username", "sasl.password"} {
		if g, both := s.layer[name]; both {
			r.fail("kafka."+name, g, fmt.Sprintf("is also given by sasl.jaas.config (%s); leave out one", jaas.origin.where()))
		}
	}
	login, err := parseJAAS(s.string("sasl.jaas.config"))
	if err != nil {
		r.fail("kafka.sasl.jaas.config", jaas, err.Error())
		return
	}
	if name, _ := mechanism.value.(string); name != "" && strings.HasPrefix(name, "SCRAM") != login.scram {
		r.fail("kafka.sasl.jaas.config", jaas, fmt.Sprintf(
			"must have the login module of sasl.mechanism = %s (%s)", name, mechanism.origin.where()))
	}
}

func (r *resolver) checkStores(s settings) {
	for _, store := range []string{"ssl.truststore", "ssl.keystore"} {
		location, set := s.layer[store+".location"]
		kind := s.layer[store+".type"]
		if (set || kind.origin.explicit()) && kind.value != "PEM" {
			at, key := location, store+".location"
			if kind.origin.explicit() {
				at, key = kind, store+".type"
			}
			r.fail("kafka."+key, at, fmt.Sprintf(
				"%s.type is %v (%s), which only Java can read; convert it to PEM with keytool and openssl, and set %s.type = \"PEM\"",
				store, kind.value, kind.origin.where(), store))
		}
	}
	chain, key := "ssl.keystore.certificate.chain.location", "ssl.keystore.key.location"
	c, hasChain := s.layer[chain]
	k, hasKey := s.layer[key]
	switch {
	case hasChain && !hasKey:
		r.fail("kafka."+chain, c, "needs "+key)
	case hasKey && !hasChain:
		r.fail("kafka."+key, k, "needs "+chain)
	case hasChain && s.explicit("ssl.keystore.location"):
		r.fail("kafka."+chain, c, "is also given by ssl.keystore.location; leave out one")
	}
}

// complete sets what is more than a copy of one setting: user and password from sasl.jaas.config, key and chain from one
// PEM file.
func (s *Security) complete(l settings) {
	if login, err := parseJAAS(l.string("sasl.jaas.config")); err == nil {
		s.SASLUsername, s.SASLPassword = login.user, login.password
	}
	if store := l.string("ssl.keystore.location"); store != "" {
		s.TLSCertFile, s.TLSKeyFile = store, store
	}
}
