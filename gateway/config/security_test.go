package config

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseJAAS(t *testing.T) {
	const plainModule = "org.apache.kafka.common.security.plain.PlainLoginModule"
	const scramModule = "org.apache.kafka.common.security.scram.ScramLoginModule"
	good := func(text string, want login) {
		t.Helper()
		got, err := parseJAAS(text)
		if err != nil || got != want {
			t.Errorf("parseJAAS(%s) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	bad := func(text, rule string) {
		t.Helper()
		_, err := parseJAAS(text)
		if err == nil || !strings.Contains(err.Error(), rule) || strings.Contains(err.Error(), "hush") {
			t.Errorf("parseJAAS(%s) = %v; want %q, and no secret", text, err, rule)
		}
	}
	good(plainModule+` required username="u" password="p";`, login{user: "u", password: "p"})
	good(plainModule+` REQUIRED username=u password='p p' ;`, login{user: "u", password: "p p"})
	good(scramModule+" required\n\tusername=\"u\"\n\tpassword=\"a=b;\\\"c\\\\\";\n", login{scram: true, user: "u", password: `a=b;"c\`})
	bad("", "must be:")
	bad(plainModule+` required username="u" password="hush"`, "must be:")
	bad(plainModule+` username="u" password="hush";`, "must be:")
	bad(plainModule+` required username="u" "hush";`, "must be:")
	bad(plainModule+` required username="u" password="hush;`, "not closed")
	bad(plainModule+` required password="hush";`, "username and password")
	bad(plainModule+` required username="u" password="hush" debug=true;`, "not supported")
	bad(`com.sun.security.auth.module.Krb5LoginModule required username="u" password="hush";`, "login module")
}

// TestSecurity holds that both ways to log in, and both to give a certificate, end in the same fields.
func TestSecurity(t *testing.T) {
	c, err := Load("testdata/jaas.good.toml")
	if err != nil {
		t.Fatal(err)
	}
	want := Security{
		Protocol: "SASL_SSL", SASLMechanism: "SCRAM-SHA-256", SASLUsername: "alice", SASLPassword: `p;"x`,
		TLSCertFile: "both.pem", TLSKeyFile: "both.pem",
	}
	if diff := cmp.Diff(want, c.Kafka.Security); diff != "" {
		t.Errorf("jaas.good.toml (-want +got)\n%s", diff)
	}
	c, err = Load("testdata/everything.good.toml")
	if err != nil {
		t.Fatal(err)
	}
	want = Security{
		Protocol: "SASL_SSL", SASLMechanism: "SCRAM-SHA-512", SASLUsername: "user", SASLPassword: "hush",
		TLSCAFile: "ca.pem", TLSCertFile: "chain.pem", TLSKeyFile: "key.pem", TLSServerName: "kafka.example.org",
	}
	if diff := cmp.Diff(want, c.Kafka.Security); diff != "" {
		t.Errorf("everything.good.toml (-want +got)\n%s", diff)
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "localhost.example.org:1": false, "": false,
	} {
		if got := isLoopback(addr); got != want {
			t.Errorf("isLoopback(%q) = %v", addr, got)
		}
	}
}

func FuzzParseJAAS(f *testing.F) {
	f.Add(`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p\"";`)
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := parseJAAS(text); err == nil && (l.user == "" || l.password == "") {
			t.Errorf("parseJAAS(%q) = %+v without an error", text, l)
		}
	})
}

// FuzzParse holds that nothing in a file makes Parse panic, that its errors point into the file, and that what it takes
// can be reported.
func FuzzParse(f *testing.F) {
	for _, path := range []string{"everything.good", "precedence.good", "syntax.bad", "types.bad", "refused.bad", "unknown.bad", "twice.bad", "modules.good", "modules.bad", "modules_twice.bad", "dead_letter.bad", "wasm.bad"} {
		data, err := os.ReadFile("testdata/" + path + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("kafka.bootstrap.servers='embedded'\n[topics.'*']"))
	f.Add([]byte("a = \"\"\"\n\n[b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data)
		if err != nil {
			checkErrors(t, err, data)
			return
		}
		if err := c.Report().WriteText(&strings.Builder{}); err != nil {
			t.Error(err)
		}
		for _, table := range c.Tables() {
			topic, ok := c.Topic(strings.ReplaceAll(table, "*", "x"))
			if !ok || topic.Producer.BufferMemory <= 0 {
				t.Errorf("table %q: %+v, %v", table, topic, ok)
			}
			checkBindings(t, topic, strings.Count(string(data), "\n")+1, c.Wasm.ConfigMaxBytes)
		}
	})
}

func checkErrors(t *testing.T, err error, data []byte) {
	t.Helper()
	var es Errors
	if !errors.As(err, &es) || len(es) == 0 {
		t.Fatalf("Parse = %#v, want Errors", err)
	}
	lines, last := strings.Count(string(data), "\n")+1, 0
	for _, e := range es {
		if e.Line < 1 || e.Line > lines || e.Line < last || e.Rule == "" || strings.Contains(e.Error(), "\n") {
			t.Errorf("%q: a file of %d lines, the error before is in line %d", e.Error(), lines, last)
		}
		last = e.Line
	}
}
