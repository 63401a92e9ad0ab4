package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/admin"
	"sluice/gateway/guest"
)

// TestModuleTestAsAUserWould tests a project as module new writes it.
func TestModuleTestAsAUserWould(t *testing.T) {
	t.Chdir(t.TempDir())
	done(t, nil, "module", "new", "--lang", "go", "lanes")
	t.Chdir("lanes")
	done(t, []string{"partition\n", "1 key \"customer-1\": partition ", "3 key \"customer-1\": partition 0, ", "not mine, the fallback chooses", "4 records: 0 failed"}, "module", "test")
}

func TestModuleTestExpect(t *testing.T) {
	wasm := conformance(t, '1')
	in := save(t, `{"key":"k","value":{"a":1},"headers":{"do":"set-value:<"}}
{"value":"x","headers":{"do":"now"}}
{"value":"x","headers":{"do":"fail:no"}}
`)
	expect := filepath.Join(t.TempDir(), "out.jsonl")
	test := func(more ...string) (string, string, int) {
		return sluice(t, append([]string{"module", "test", wasm, "--in", in, "--hook", "on_send", "--expect", expect}, more...)...)
	}
	if _, stderr, status := test("--update"); status != 0 {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(expect)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"changed":["value"],"record":{"headers":{"do":"set-value:<"},"key":"k","value":"<"},"verdict":"passed"}
{"changed":["value"],"record":{"headers":{"do":"now"},"value":1767225600000},"verdict":"passed"}
{"cause":"record_error","reason":"no","record":{"headers":{"do":"fail:no"},"value":"x"},"verdict":"failed"}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if out, stderr, status := test(); status != 0 || !strings.Contains(out, "(record_error): no") {
		t.Errorf("exit status %d: %s%s", status, out, stderr)
	}
	// A line may leave out what it does not care for.
	if err := os.WriteFile(expect, []byte("{\"verdict\":\"passed\"}\n{}\n{\"reason\":\"yes\"}\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, status := test()
	if status != exitFailed || !strings.Contains(out, "record 3 is not as ") || !strings.Contains(out, "- reason \"yes\"\n  + reason \"no\"") ||
		!strings.Contains(out, "record 4 is not as") || !strings.Contains(stderr, "differs from "+expect+" in 2 places") {
		t.Errorf("exit status %d: %s%s", status, out, stderr)
	}
	if strings.Contains(out, "\x1b") {
		t.Error("colours without a terminal")
	}
}

func TestModuleTestBroken(t *testing.T) {
	wasm := conformance(t, '1')
	in := save(t, `{"value":"x","headers":{"do":"trap"}}`+"\n"+`{"value":"x"}`)
	out, stderr, status := sluice(t, "module", "test", wasm, "--in", in)
	if status != exitFailed || !strings.Contains(out, "failed (trap): unreachable") || stderr != "on_send failed on 1 records; partition failed on 1 records" {
		t.Errorf("exit status %d: %s%s", status, out, stderr)
	}
	out, stderr, status = sluice(t, "module", "test", wasm, "--in", in, "--json", "--hook", "on_send", "--fuzz", "300ms", "--seed", "1")
	var got tested
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != exitFailed || !strings.Contains(stderr, "--fuzz found ") {
		t.Fatalf("%v, exit status %d: %s%s", err, status, out, stderr)
	}
	if got.Fuzz.Records == 0 || got.Fuzz.Seed != 1 || len(got.Fuzz.Findings) == 0 {
		t.Fatalf("%+v", got.Fuzz)
	}
	f := got.Fuzz.Findings[0]
	if f.Cause != "trap" || f.Hook != "on_send" || f.Count == 0 {
		t.Errorf("%+v", f)
	}
	// What was found can be given back.
	if out, _, status := sluice(t, "module", "test", wasm, "--in", save(t, f.Record), "--hook", "on_send"); status != exitFailed || !strings.Contains(out, "(trap)") {
		t.Errorf("exit status %d: %s", status, out)
	}
	out, stderr, status = sluice(t, "module", "test", wasm, "--in", save(t, `{"value":"x"}`), "--hook", "on_send", "--fuzz", "200ms")
	if status != 0 || !strings.Contains(out, "it did not fail") {
		t.Errorf("exit status %d: %s%s", status, out, stderr)
	}
}

func TestModuleTestLimits(t *testing.T) {
	wasm := conformance(t, '1')
	in := save(t, `{"value":"x","headers":{"do":"loop"}}`)
	limits := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(limits, []byte("[kafka]\nbootstrap.servers = \"embedded\"\n[wasm]\nmodule.max.bytes = 1024\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, status := sluice(t, "module", "test", wasm, "--in", in, "--hook", "on_send")
	if status != exitFailed || !strings.Contains(out, "out_of_fuel") || !strings.Contains(out, "wasm.call.fuel") {
		t.Errorf("exit status %d: %s", status, out)
	}
	_, stderr, status := sluice(t, "module", "test", wasm, "--in", in, "--limits-from", limits)
	if status != exitFailed || !strings.Contains(stderr, "wasm.module.max.bytes = 1024") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

func TestModuleTestUsage(t *testing.T) {
	wasm := conformance(t, '1')
	in := save(t, `{"value":"x"}`)
	for _, c := range []struct {
		args   []string
		status int
		part   string
	}{
		{[]string{wasm}, 2, "--in must name a file of records"},
		{[]string{wasm, "--in", in, "--hook", "on_nothing"}, 2, `--hook "on_nothing"`},
		{[]string{wasm, "--in", in, "--update"}, 2, "--expect must name the file"},
		{[]string{wasm, "--in", in, "--expect", in}, 2, "--hook must name one"},
		{[]string{wasm, "--in", in, "--fuzz", "-1s"}, 2, "--fuzz -1s"},
		{[]string{wasm, "--in", in, "--partitions", "-1"}, 2, "--partitions -1"},
		{[]string{wasm, "--in", in, "--partitions", "0"}, 2, "--partitions 0: it must be at least 1"},
		{[]string{"nosuch"}, 1, "there is no folder or .wasm file nosuch"},
		{[]string{wasm, "--in", in, "--config", "{"}, 2, "--config"},
		{[]string{wasm, "--in", in, "--config", `{"refuse":"R"}`}, 1, "it refuses its configuration: R"},
		{[]string{wasm, "--in", save(t, "{}")}, 1, `line 1`},
		{[]string{wasm, "--in", save(t, "\n")}, 1, "there are no records"},
		{[]string{"nowhere.wasm", "--in", in}, 1, "nowhere.wasm"},
	} {
		out, stderr, status := sluice(t, append([]string{"module", "test"}, c.args...)...)
		if status != c.status || !strings.Contains(stderr, c.part) {
			t.Errorf("%v: exit status %d, want %d with %q in: %s%s", c.args, status, c.status, c.part, out, stderr)
		}
	}
}

// TestMutatorRepeats holds that a seed names the records that were tried, and that mutations can be written as lines.
func TestMutatorRepeats(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine at a time, and much to compute")
	}
	samples, err := admin.Records([]byte(`{"key":"k","value":{"a":[1,2]},"headers":{"a":"b"}}`))
	if err != nil {
		t.Fatal(err)
	}
	run := func() []string {
		m := newMutator(7, 0)
		all := make([]string, 0, 2000)
		for range 2000 {
			r := m.record(samples)
			line, err := json.Marshal(guest.LineOf(&r))
			if err != nil {
				t.Fatal(err)
			}
			back, err := admin.Records(line)
			if err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			again, err := json.Marshal(guest.LineOf(&back[0]))
			if err != nil || string(again) != string(line) {
				t.Fatalf("%s came back as %s, %v", line, again, err)
			}
			all = append(all, string(line))
		}
		return all
	}
	one := run()
	if !slices.Equal(one, run()) {
		t.Error("the same seed gave other records")
	}
	slices.Sort(one)
	if n := len(slices.Compact(one)); n < 1000 {
		t.Errorf("%d different records of 2000", n)
	}
}
