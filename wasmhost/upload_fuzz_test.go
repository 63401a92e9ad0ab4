package wasmhost

import (
	"errors"
	"testing"
	"time"

	"sluice/wasmhost/compile"
	"sluice/wasmhost/meter"
)

// uploadLimits let whatever a fuzzer finds end within milliseconds.
func uploadLimits() Limits {
	l := DefaultLimits()
	l.Module.ModuleBytes, l.Module.MemoryPages, l.Module.InitFuel = 64<<10, 64, 2_000_000
	l.MemoryTotal, l.FuelBase, l.FuelMax = 32<<20, 1_000_000, 2_000_000
	l.InitTimeout, l.CallTimeout, l.AcquireTimeout = 200*time.Millisecond, 30*time.Millisecond, 20*time.Millisecond
	l.Instances = 1
	return l
}

// FuzzUpload: whatever is uploaded, the host refuses it or takes records through it, and lives on.
func FuzzUpload(f *testing.F) {
	for part, all := range corpus() {
		for i := range all {
			if testing.Short() && part != "binaries" && i > 2 {
				break // each takes an assembler, and TestHostileCorpus has them all
			}
			f.Add(all[i].wasm(f))
		}
	}
	for _, hint := range []bool{false, true} {
		h := hostile{wat: deeds(hint)}
		f.Add(h.wasm(f))
	}
	h, err := New(Options{Limits: uploadLimits(), Compile: compile.Options{CacheBytes: 1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := h.Close(); err != nil || h.Memory() != 0 {
			f.Errorf("%v; %d bytes of memory are still charged", err, h.Memory())
		}
	})
	f.Fuzz(func(t *testing.T, wasm []byte) { upload(t, h, wasm) })
}

func upload(t *testing.T, h *Host, wasm []byte) {
	t.Helper()
	m, err := h.Compile(t.Context(), wasm)
	if err != nil {
		if _, ok := errors.AsType[*meter.Refused](err); !ok {
			t.Errorf("an error that is no refusal: %v", err)
		}
		return
	}
	defer m.Release()
	g, err := m.Configure(Settings{Topic: "orders", Name: "fuzzed", Version: m.ID, Log: NewLog(1)})
	if err != nil {
		if _, ok := AsFailure(err); !ok {
			t.Errorf("an error that is no failure: %v", err)
		}
		return
	}
	defer g.Close()
	b := batchOf(keyPass, keyTrap, keyChange)
	if g.OnSend(b); !m.Kinds.has(OnSend) {
		g.Partition(b)
	}
	for i := range b.Records {
		r, was := &b.Records[i], keyed(keyPass, keyTrap, keyChange)[i]
		switch {
		case r.Verdict > Bypassed || (r.Verdict == Passed) != (r.Cause == NoCause) || r.Reason == "" && r.Cause != NoCause && r.Cause != RecordError:
			t.Errorf("record %d: verdict %d, %v: %q", i, r.Verdict, r.Cause, r.Reason)
		case r.Verdict != Passed && (string(r.Key) != string(was.Key) || string(r.Value) != string(was.Value) || r.Timestamp != was.Timestamp):
			t.Errorf("record %d failed and is not as it was: %+v", i, r)
		}
	}
}
