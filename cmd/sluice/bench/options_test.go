package bench

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// wrong runs the command with arguments that it must refuse.
func wrong(t *testing.T, args ...string) error {
	t.Helper()
	cmd := Command()
	cmd.SetArgs(args)
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return cmd.Execute()
}

func TestWrongUsageIsNamed(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		err := wrong(t, args...)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want a usage error with %q", args, err, want)
		}
	}
	f("--connections 0: must be from 1 to 100000", "--connections", "0")
	f("--size 0: must be from 1", "--size", "0")
	f("--duration 0s: must be from 1ms", "--duration", "0s")
	f("--rate -1: must be from 0", "--rate", "-1")
	f(`--dialect "xml": must be one of`, "--dialect", "xml")
	f(`--ack "maybe": must be one of`, "--ack", "maybe")
	f(`--acks "2": must be one of`, "--acks", "2")
	f(`--compression "rar": must be one of`, "--compression", "rar")
	f("--topic: is empty", "--topic", "")
	f("a raw request is one record", "--dialect", "raw", "--records", "2")
	f("NDJSON lines have no keys", "--records", "2", "--keys", "5")
	f("exclude each other", "--limit", "--overload")
	f("take no URL", "--idle", "5", "http://127.0.0.1:1")
	f("--idle -1: must be from 0", "--idle", "-1")
	f("--rounds -1: must be from 1", "--rounds", "-1")
	f("--size 0", "--size", "0", "--connections", "0") // all of them at once
	f("--connections 0", "--size", "0", "--connections", "0")
	f("want http://host:port", "https://127.0.0.1:1")
	f("want http://host:port", "127.0.0.1:1")
}

func TestTargets(t *testing.T) {
	f := func(s, host, path string, loopback bool) {
		t.Helper()
		u, err := parseTarget(s)
		if err != nil || u.Host != host || u.Path != path || isLoopback(u) != loopback {
			t.Errorf("%s: %v, %v, loopback %t; want host %s, path %q, loopback %t", s, u, err, isLoopback(u), host, path, loopback)
		}
	}
	f("http://127.0.0.1:8080", "127.0.0.1:8080", "", true)
	f("http://localhost", "localhost:80", "", true)
	f("http://[::1]:8080/gateway/", "[::1]:8080", "/gateway", true)
	f("http://[::1]", "[::1]:80", "", true)
	f("http://10.1.2.3:8080", "10.1.2.3:8080", "", false)
}

// newFlags are the command's flags, set in b.
func newFlags(b *bench) *pflag.FlagSet {
	f := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	b.register(f)
	return f
}

func TestDefaultsFollowTheMode(t *testing.T) {
	f := func(args []string, urls []string, rounds int, dialect string) {
		t.Helper()
		b := &bench{}
		if err := newFlags(b).Parse(args); err != nil {
			t.Fatal(err)
		}
		if err := b.check(urls); err != nil {
			t.Fatal(err)
		}
		if b.rounds != rounds || b.load.shape.dialect != dialect {
			t.Errorf("%q: %d rounds, dialect %s; want %d, %s", args, b.rounds, b.load.shape.dialect, rounds, dialect)
		}
	}
	f(nil, nil, 1, dialectRaw)
	f([]string{"--limit"}, nil, 5, dialectRaw)
	f([]string{"--records", "10"}, nil, 1, dialectNDJSON)
	f([]string{"--rounds", "2"}, []string{"http://h:1", "http://h:2"}, 2, dialectRaw)
	f(nil, []string{"http://h:1", "http://h:2"}, 5, dialectRaw)
	f([]string{"--keys", "3"}, nil, 1, dialectRaw)
}

func TestIdempotenceFollowsAcks(t *testing.T) {
	for acks, want := range map[string]bool{"all": true, "-1": true, "1": false, "0": false} {
		b := &bench{}
		if err := newFlags(b).Parse([]string{"--acks", acks}); err != nil {
			t.Fatal(err)
		}
		if err := b.check(nil); err != nil || b.kafka.Idempotence != want {
			t.Errorf("acks=%s: idempotence %t, %v; want %t", acks, b.kafka.Idempotence, err, want)
		}
	}
}
