package meter_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sluice/wasmhost/meter"
)

// outcome is all that can be seen of a run.
type outcome struct {
	Results []uint64
	Trap    string
	Globals []uint64
	Pages   uint32
	Memory  [sha256.Size]byte
}

// run calls f with arguments that follow from its type.
func (i *instance) run() outcome {
	f := i.ExportedFunction("f")
	var args []uint64
	for n, t := range f.Definition().ParamTypes() {
		v := uint64(n+3) * 0x1234_5678_9abc
		switch t {
		case api.ValueTypeI32:
			v = uint64(uint32(v))
		case api.ValueTypeF32:
			v = api.EncodeF32(float32(n) - 2.5)
		case api.ValueTypeF64:
			v = api.EncodeF64(float64(n) * 1e9)
		}
		args = append(args, v)
	}
	results, err := f.Call(context.Background(), args...)
	o := outcome{Results: results}
	if err != nil {
		o.Trap, _, _ = strings.Cut(err.Error(), "\n")
	}
	for n := 0; ; n++ {
		g := i.ExportedGlobal(fmt.Sprintf("g%d", n))
		if g == nil {
			break
		}
		o.Globals = append(o.Globals, g.Get())
	}
	m := i.Memory()
	b, _ := m.Read(0, m.Size())
	o.Pages, o.Memory = m.Size()>>16, sha256.Sum256(b)
	return o
}

// differ runs a generated module with and without metering, and says what of the properties does not hold.
func differ(t testing.TB, r wazero.Runtime, module []byte) (used int64, o outcome) {
	t.Helper()
	out := rewrite(t, module)
	if !bytes.Equal(out, rewrite(t, module)) {
		t.Error("rewriting it twice gives two results")
	}
	plain := start(t, r, module)
	defer plain.close(t)
	compiled, err := r.CompileModule(context.Background(), out)
	must(t, err)
	defer func() { must(t, compiled.Close(context.Background())) }()
	metered := instantiate(t, r, compiled)
	defer metered.close(t)
	want, got := plain.run(), metered.run()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("unmetered -, metered +:\n%s", d)
	}
	used = 1<<40 - metered.left()
	if want.Trap != "" {
		return used, want
	}
	const k = 4 // instructions that a unit pays for at most
	if steps := int64(want.Globals[globalSteps]); used*k < steps {
		t.Errorf("%d units were charged for %d instructions", used, steps)
	}
	again := instantiate(t, r, compiled)
	defer again.close(t)
	again.give(used)
	if d := cmp.Diff(want, again.run()); d != "" || again.left() != 0 {
		t.Errorf("with the %d units it needs, %d are left and the outcome is other:\n%s", used, again.left(), d)
	}
	starved := instantiate(t, r, compiled)
	defer starved.close(t)
	starved.give(used / 2)
	if o := starved.run(); starved.left() >= 0 {
		t.Errorf("with %d of the %d units it needs, %d are left: %s", used/2, used, starved.left(), o.Trap)
	}
	return used, want
}

func (i *instance) close(t testing.TB) {
	t.Helper()
	must(t, i.Close(context.Background()))
}

// Metering changes nothing but the time, and charges what it says.
func TestDifferential(t *testing.T) {
	r := host(t, wazero.NewRuntimeConfigCompiler())
	n := 300
	if testing.Short() {
		n = 30
	}
	traps, most := map[string]int{}, 0.0
	var steps uint64
	for seed := range uint64(n) {
		src := make([]byte, 100+5*seed)
		_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(src)
		module := generate(src).bytes()
		used, o := differ(t, r, module)
		if t.Failed() {
			t.Fatalf("seed %d, %d bytes", seed, len(module))
		}
		traps[o.Trap]++
		if o.Trap == "" {
			steps += o.Globals[globalSteps]
			most = max(most, float64(used)*4/float64(o.Globals[globalSteps]))
		}
	}
	if traps[""] < n/3 {
		t.Errorf("only %d of %d modules end well", traps[""], n)
	}
	t.Logf("%v; %d instructions in those that end well, charged at most %.1f-fold", traps, steps, most)
}

func FuzzDifferential(f *testing.F) {
	for seed := range byte(8) {
		src := make([]byte, 2000)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(src)
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		r := host(t, wazero.NewRuntimeConfigCompiler())
		differ(t, r, generate(src).bytes())
	})
}

// FuzzRewrite: no bytes make it panic, and what is valid stays so.
func FuzzRewrite(f *testing.F) {
	f.Add(generate([]byte("seed")).bytes())
	for _, w := range hostile() {
		if b := w.bytes(); len(b) < 2000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := meter.DefaultLimits()
		l.TableElements, l.MemoryPages = 1000, 16
		info, problems := meter.Inspect(b, l)
		out, again, err := meter.Rewrite(b, l)
		if (err == nil) != (len(problems) == 0) || info == nil && err == nil {
			t.Fatalf("Inspect says %v, Rewrite %v", problems, err)
		}
		if err != nil {
			return
		}
		if d := cmp.Diff(info, again); d != "" {
			t.Fatalf("Inspect -, Rewrite +:\n%s", d)
		}
		r := host(t, wazero.NewRuntimeConfigInterpreter())
		if _, err := r.CompileModule(context.Background(), withoutCustom(b)); err != nil {
			return
		}
		if _, err := r.CompileModule(context.Background(), out); err != nil {
			t.Fatalf("valid before, and then: %v", err)
		}
	})
}

// withoutCustom leaves out what nothing depends on: wazero takes the counts in a name section at their word.
func withoutCustom(b []byte) []byte {
	out := append([]byte(nil), b[:8]...)
	for at := 8; at < len(b); {
		size, n := 0, at+1
		for shift := 0; ; shift += 7 {
			size |= int(b[n]&0x7f) << shift
			n++
			if b[n-1] < 0x80 {
				break
			}
		}
		if b[at] != 0 {
			out = append(out, b[at:n+size]...)
		}
		at = n + size
	}
	return out
}
