package wasmhost

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
)

// TestTransform runs a transform that is built with Redpanda's own SDK, which must not notice where it is.
func TestTransform(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine at a time, and much to compute")
	}
	tt := newTransformTest(t, nil)
	m := tt.compile(t, goTransform(t, "deeds"))
	if want := (Kinds{Transform: true}); m.Kinds != want {
		t.Fatalf("the module is %+v, want %+v", m.Kinds, want)
	}
	t.Run("records", func(t *testing.T) { testTransformRecords(t, tt, m) })
	t.Run("headers", func(t *testing.T) { testTransformHeaders(t, tt, m) })
	t.Run("fan out", func(t *testing.T) { testTransformFanOut(t, tt, m) })
	t.Run("environment", func(t *testing.T) { testTransformEnvironment(t, tt, m) })
	t.Run("poison", func(t *testing.T) { testTransformPoison(t, tt, m) })
	t.Run("exits at once", func(t *testing.T) { testTransformExits(t, tt, m) })
	t.Run("many batches", func(t *testing.T) { testTransformManyBatches(t, tt, m) })
}

func testTransformRecords(t *testing.T, tt *transformTest, m *Module) {
	t.Helper()
	g, log := tt.guest(t, m, "")
	b := transformBatch(keyed("as is", "filter", "upper", "null", "route:audit", "route:orders", "try:forbidden", "time", "args", "schema", "time")...)
	b.Records[10].Timestamp = -1
	b.Records[10].Value = nil
	g.OnSend(b)
	for i, want := range []struct {
		changed uint32
		value   string
		route   string
	}{
		{0, "v", ""},
		{abi.FlagDrop, "v", ""},
		{abi.FlagValue, "V", ""},
		{abi.FlagKey | abi.FlagValue, "", ""},
		{abi.FlagRoute, "v", "audit"},
		{0, "v", ""}, // its own topic is no route
		{abi.FlagValue, "writing record failed with errno: -3", ""},
		{abi.FlagValue, fmt.Sprint(transformTime, transformTime, " ", 7), ""},
		{abi.FlagValue, "deeds", ""},
		{abi.FlagValue, "unable to find a schema definition with id 1", ""}, // there is no registry
		{abi.FlagValue, fmt.Sprint(batchTime, batchTime, " ", 10), ""},
	} {
		r := &b.Records[i]
		if r.Verdict != Passed || r.Changed != want.changed || string(r.Route) != want.route {
			t.Errorf("%s: %v (%s), changed 0x%x, route %q; want 0x%x, %q", r.Key, r.Verdict, r.Reason, r.Changed, r.Route, want.changed, want.route)
		}
		if string(r.Value) != want.value {
			t.Errorf("%s: value %q, want %q", r.Key, r.Value, want.value)
		}
	}
	if r := &b.Records[3]; r.Key != nil || r.Value != nil {
		t.Errorf("null became %q and %q", r.Key, r.Value)
	}
	if lines := log.Lines(); len(lines) != 1 || lines[0].Text != "hello from deeds" || lines[0].Level != abi.LevelInfo {
		t.Errorf("log: %v", lines)
	}
}

func testTransformHeaders(t *testing.T, tt *transformTest, m *Module) {
	t.Helper()
	g, _ := tt.guest(t, m, "{}")
	b := transformBatch(keyed("header:new", "headerless", "as is", "header:")...)
	b.Records[2].Headers = []Header{{"", nil}, {"empty", []byte{}}}
	g.OnSend(b)
	old := Header{"h", []byte("1")}
	for i, want := range [][]Header{
		{old, {"new", []byte("added")}, {"null", nil}}, nil, {{"", nil}, {"empty", []byte{}}}, {old, {"", []byte("added")}, {"null", nil}},
	} {
		r := &b.Records[i]
		if diff := cmp.Diff(want, r.Headers); diff != "" || r.Verdict != Passed || (r.Changed != abi.FlagHeaders) != (i == 2) {
			t.Errorf("%s: changed 0x%x %s %s", r.Key, r.Changed, r.Reason, diff)
		}
	}
}

func testTransformFanOut(t *testing.T, tt *transformTest, m *Module) {
	t.Helper()
	g, _ := tt.guest(t, m, "{}")
	b := transformBatch(keyed("fan", "filter", "panic", "fan", "as is")...)
	b.Records[3].Cookie = 5
	for range 2 { // what a batch had before does not stay
		g.OnSend(b)
		if got := b.Records[2]; got.Verdict != Failed || got.Cause != Trap {
			t.Errorf("panic: %v %v", got.Verdict, got.Cause)
		}
		if len(b.Extra) != 4 {
			t.Fatalf("%d extra records, want 4", len(b.Extra))
		}
		for i, of := range []int32{0, 0, 3, 3} {
			first, x := &b.Records[of], &b.Extra[i]
			if first.Changed != abi.FlagRoute|abi.FlagValue || string(first.Route) != "audit" || string(first.Value) != "V" {
				t.Errorf("record %d: changed 0x%x, route %q, value %q", of, first.Changed, first.Route, first.Value)
			}
			changed, value := uint32(0), "v"
			if i%2 == 1 {
				changed, value = abi.FlagValue, "V"
			}
			if x.Of != of || x.Changed != changed || string(x.Value) != value || string(x.Key) != "fan" || x.Route != nil ||
				len(x.Headers) != 1 || x.Timestamp != transformTime || x.Cookie != first.Cookie {
				t.Errorf("extra %d: %+v", i, x)
			}
		}
		b.Records = keyed("fan", "filter", "panic", "fan", "as is")
	}
}

func testTransformEnvironment(t *testing.T, tt *transformTest, m *Module) {
	t.Helper()
	g, _ := tt.guest(t, m, `{"LEVEL":"high","A":"b=c"}`)
	b := transformBatch(keyed("env")...)
	g.OnSend(b)
	want := "A=b=c\nLEVEL=high\nREDPANDA_INPUT_TOPIC=orders\nREDPANDA_OUTPUT_TOPIC_0=orders\nREDPANDA_OUTPUT_TOPIC_1=audit\nREDPANDA_OUTPUT_TOPIC_2=other"
	if got := string(b.Records[0].Value); got != want {
		t.Errorf("environment %q (%s), want %q", got, b.Records[0].Reason, want)
	}
	for config, reason := range map[string]string{
		`{"REDPANDA_INPUT_TOPIC":"x"}`: "reserved", `{"a":1}`: "config.a is not a string", `{"a":"\u0000"}`: "byte 0",
		`{"a=b":"c"}`: "cannot be the name", `{"":"c"}`: "cannot be the name", `[]`: "not a JSON object",
	} {
		if g, err := m.Configure(Settings{Config: []byte(config), Log: NewLog(1)}); err == nil {
			g.Close()
			t.Errorf("config %s is not refused", config)
		} else if !strings.Contains(err.Error(), reason) {
			t.Errorf("config %s: %v, want %q", config, err, reason)
		}
	}
}

// testTransformPoison sees to it that only the records fail on which the guest does.
func testTransformPoison(t *testing.T, tt *transformTest, m *Module) {
	t.Helper()
	for _, c := range []struct {
		key, reason string
		cause       Cause
	}{
		{"panic", "it exited with status 2 (it said: panic: no)", Trap},
		{"error", "it exited with status 2 (it said: panic: transforming record failed: this is a bad record)", Trap},
		{"exit", "it exited with status 7", Trap},
		{"loop", "it used up its fuel (wasm.call.fuel.base, .per.record, .per.byte and .max)", OutOfFuel},
	} {
		t.Run(c.key, func(t *testing.T) {
			g, _ := tt.guest(t, m, "{}")
			keys := make([]string, 100)
			for i := range keys {
				keys[i] = "upper"
			}
			keys[41], keys[70] = c.key, c.key
			b := transformBatch(keyed(keys...)...)
			g.OnSend(b)
			for i := range b.Records {
				r := &b.Records[i]
				switch {
				case i != 41 && i != 70:
					if r.Verdict != Passed || string(r.Value) != "V" {
						t.Errorf("record %d: %v %q: %s", i, r.Verdict, r.Value, r.Reason)
					}
				case r.Verdict != Failed || r.Cause != c.cause || r.Reason != c.reason || string(r.Value) != "v" || r.Changed != 0:
					t.Errorf("record %d: %v %v %q, value %q", i, r.Verdict, r.Cause, r.Reason, r.Value)
				}
			}
			// One for all records, and for each of the two: one with it alone, and one with it and those behind it.
			if n := g.Stats.Discarded.Load(); n > 6 {
				t.Errorf("%d instances were given for two records", n)
			}
		})
	}
}

func testTransformExits(t *testing.T, tt *transformTest, m *Module) {
	t.Helper()
	_, err := m.Configure(Settings{Topic: "orders", Name: "deeds", Log: NewLog(1), Config: []byte(`{"EXIT":"1"}`)})
	if want := "_start: it exited with status 3 (it said: I was told to exit)"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if c, ok := AsFailure(err); !ok || c != Trap {
		t.Errorf("cause %v, want %v", c, Trap)
	}
}

// testTransformManyBatches lets one instance go on for long, with batches of all sizes.
func testTransformManyBatches(t *testing.T, tt *transformTest, m *Module) {
	t.Helper()
	g, _ := tt.guest(t, m, "{}")
	big := strings.Repeat("x", 100*100)
	for n := range 100 {
		b := transformBatch(keyed("upper", "as is")...)
		b.Records[0].Value = []byte(big[:n*n])
		g.OnSend(b)
		if r := b.Records; r[0].Verdict != Passed || string(r[0].Value) != strings.ToUpper(big[:n*n]) || r[1].Verdict != Passed || r[1].Changed != 0 {
			t.Fatalf("batch %d: %v %v %s", n, r[0].Verdict, r[1].Verdict, r[0].Reason)
		}
	}
	if n := g.Stats.Discarded.Load(); n != 0 {
		t.Errorf("%d instances failed", n)
	}
}

// TestTransformTimeout lets a guest loop with more fuel than it has time.
func TestTransformTimeout(t *testing.T) {
	tt := newTransformTest(t, func(l *Limits) {
		l.FuelPerRecord, l.FuelMax, l.CallTimeout = 1<<50, 1<<60, 50*time.Millisecond
	})
	g, _ := tt.guest(t, tt.compile(t, goTransform(t, "deeds")), "{}")
	b := transformBatch(keyed("loop", "upper")...)
	g.OnSend(b)
	if r := b.Records; r[0].Cause != OutOfTime || r[1].Verdict != Passed || string(r[1].Value) != "V" {
		t.Errorf("%v %s, %v %s", r[0].Cause, r[0].Reason, r[1].Verdict, r[1].Reason)
	}
}
