//go:build unix

package compile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"sluice/wasmhost/meter"
)

func TestChildAndThisProcessMakeTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine at a time, and much to compute")
	}
	inChild := open(t, Options{Dir: t.TempDir(), Command: children(t, "__compile")})
	here := open(t, Options{Dir: t.TempDir()})
	inMemory := open(t, Options{})
	for _, tt := range []struct {
		name string
		wasm []byte
		c    *Compiler
	}{
		{"a Go guest, on disk", mustGuest(t), here},
		{"a tiny one, on disk", tiny(1), here},
		{"a tiny one, in memory", tiny(1), inMemory},
	} {
		want, got := mustCompile(t, inChild, tt.wasm), mustCompile(t, tt.c, tt.wasm)
		if !bytes.Equal(want.Metered, got.Metered) {
			t.Errorf("%s: other metered bytes than in a child", tt.name)
		}
		if want.Info == nil || want.Took <= 0 {
			t.Errorf("%s: Info %v, Took %v", tt.name, want.Info, want.Took)
		}
		if diff := cmp.Diff(want.Info, got.Info); diff != "" {
			t.Errorf("%s: other Info than in a child (-child +here):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff([]string{unlimitedHere}, got.Warnings); diff != "" {
			t.Errorf("%s: warnings: %s", tt.name, diff)
		}
		if got.Cached {
			t.Errorf("%s: the first compilation came from a cache", tt.name)
		}
	}
}

func TestSecondStartCompilesNothing(t *testing.T) {
	dir, starts := t.TempDir(), t.TempDir()
	o := Options{Dir: dir, Command: children(t, "__counted", starts)}
	wasm := tiny(1)
	first := mustCompile(t, open(t, o), wasm)
	second := mustCompile(t, open(t, o), wasm)
	if n := len(list(t, starts)); n != 1 {
		t.Errorf("%d children were started, want 1", n)
	}
	if first.Cached || !second.Cached {
		t.Errorf("Cached: first %v, second %v", first.Cached, second.Cached)
	}
	if !bytes.Equal(first.Metered, second.Metered) {
		t.Error("the cache gave other bytes")
	}
	if diff := cmp.Diff(first.Info, second.Info); diff != "" {
		t.Errorf("the cache gave other Info (-first +second):\n%s", diff)
	}
}

func TestRuntimeFindsTheMachineCode(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine at a time, and much to compute")
	}
	dir := t.TempDir()
	c := open(t, Options{Dir: dir, Command: children(t, "__compile")})
	res := mustCompile(t, c, mustGuest(t))
	before := list(t, filepath.Join(dir, machineDir))
	if got := callDigits(t, c.RuntimeConfig(), res.Metered); got != 190 { // 10 of one digit, 90 of two
		t.Errorf("digits(100) = %d, want 190", got)
	}
	if diff := cmp.Diff(before, list(t, filepath.Join(dir, machineDir))); diff != "" {
		t.Errorf("the runtime compiled the module again (-before +after):\n%s", diff)
	}
	// The proof that the test would notice: another configuration has other machine code.
	small := mustCompile(t, c, tiny(1))
	before = list(t, filepath.Join(dir, machineDir))
	for _, rc := range []wazero.RuntimeConfig{c.RuntimeConfig(), c.RuntimeConfig().WithCloseOnContextDone(true)} {
		rt := wazero.NewRuntimeWithConfig(t.Context(), rc)
		if _, err := rt.CompileModule(t.Context(), small.Metered); err != nil {
			t.Fatal(err)
		}
		if err := rt.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(list(t, filepath.Join(dir, machineDir))) - len(before); n != 1 {
		t.Errorf("a runtime with our configuration and one with another wrote %d files of machine code, want 1", n)
	}
}

func callDigits(t *testing.T, rc wazero.RuntimeConfig, metered []byte) uint64 {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, rc)
	defer func() {
		if err := rt.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	compiled, err := rt.CompileModule(ctx, metered)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := rt.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := mod.ExportedFunction("digits").Call(ctx, 100)
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

// list is what lies in dir: name, and what changes if a file is written anew.
func list(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	files := map[string]time.Time{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := e.Info()
		if err == nil {
			files[path] = st.ModTime()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRefusedModules(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine at a time, and much to compute")
	}
	limits := meter.DefaultLimits()
	limits.ModuleBytes = 1000
	for _, o := range []Options{
		{Limits: limits},
		{Limits: limits, Dir: t.TempDir()},
		{Limits: limits, Dir: t.TempDir(), Command: children(t, "__compile")},
	} {
		c := open(t, o)
		for name, tt := range map[string]struct {
			wasm []byte
			rule string
		}{
			"empty":      {nil, meter.RuleFormat},
			"no module":  {[]byte("function f() { return 1 }"), meter.RuleFormat},
			"large":      {append(tiny(1), make([]byte, 1000)...), meter.RuleLimit},
			"very large": {append(tiny(1), make([]byte, maxRequest)...), meter.RuleLimit},
			"ill-typed":  {illTyped(), ruleInvalid},
		} {
			for range 2 { // a refusal is not remembered as a success
				_, err := c.Compile(t.Context(), tt.wasm)
				refused, ok := errors.AsType[*meter.Refused](err)
				if !ok || len(refused.Problems) == 0 {
					t.Fatalf("%s: error %v, want a *meter.Refused", name, err)
				}
				if refused.Problems[0].Rule != tt.rule {
					t.Errorf("%s: problem %v, want rule %s", name, refused.Problems[0], tt.rule)
				}
			}
		}
		if res := mustCompile(t, c, tiny(7)); runs(c, res.Metered, 7) != nil {
			t.Error("after refusals: ", runs(c, res.Metered, 7))
		}
	}
}

func TestLimitsArePartOfTheKey(t *testing.T) {
	dir := t.TempDir()
	mustCompile(t, open(t, Options{Dir: dir}), tiny(1))
	stricter := meter.DefaultLimits()
	stricter.Functions--
	if mustCompile(t, open(t, Options{Dir: dir, Limits: stricter}), tiny(1)).Cached {
		t.Error("what was checked against other limits was used")
	}
	if !mustCompile(t, open(t, Options{Dir: dir, Limits: stricter}), tiny(1)).Cached {
		t.Error("the same limits found nothing")
	}
}

func TestManyAskAtOnce(t *testing.T) {
	starts := t.TempDir()
	c := open(t, Options{Dir: t.TempDir(), Command: children(t, "__counted", starts)})
	wasm := tiny(1)
	results := make([]*Result, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			var err error
			if results[i], err = c.Compile(t.Context(), wasm); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(list(t, starts)); n != 1 {
		t.Errorf("%d children were started for one module, want 1", n)
	}
	for i, res := range results {
		if res == nil || !bytes.Equal(res.Metered, results[0].Metered) {
			t.Errorf("caller %d got another result", i)
		}
	}
}

func TestOneChildAtATime(t *testing.T) {
	c := open(t, Options{Dir: t.TempDir(), Command: children(t, "__alone", t.TempDir())})
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			res, err := c.Compile(t.Context(), tiny(i))
			if err != nil {
				t.Error(err)
			} else if err := runs(c, res.Metered, i); err != nil {
				t.Errorf("module %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func TestInMemory(t *testing.T) {
	c := open(t, Options{CacheBytes: 1})
	for _, want := range []struct {
		module int
		cached bool
	}{{1, false}, {1, true}, {2, false}, {2, true}, {1, false}} { // there is room for one
		res := mustCompile(t, c, tiny(want.module))
		if res.Cached != want.cached {
			t.Errorf("module %d: Cached %v, want %v", want.module, res.Cached, want.cached)
		}
		if err := runs(c, res.Metered, want.module); err != nil {
			t.Errorf("module %d: %v", want.module, err)
		}
	}
	roomy := open(t, Options{})
	for _, cached := range []bool{false, true} {
		for i := range 3 {
			if res := mustCompile(t, roomy, tiny(i)); res.Cached != cached {
				t.Errorf("module %d: Cached %v, want %v", i, res.Cached, cached)
			}
		}
	}
}

func TestRefusedOptions(t *testing.T) {
	large := meter.DefaultLimits()
	large.ModuleBytes = MaxModule + 1
	for setting, o := range map[string]Options{
		settingCPU: {CPU: -1}, settingWall: {Wall: -1}, settingMemory: {Memory: -1}, settingCache: {CacheBytes: -1}, "module.max.bytes": {Limits: large},
	} {
		_, err := New(o)
		if err == nil {
			t.Fatalf("%s: no error", setting)
		}
		contains(t, err.Error(), setting)
	}
}

func TestInterpreterIsNoticed(t *testing.T) {
	_, err := trialInto(t.Context(), t.TempDir(), wazero.NewRuntimeConfigInterpreter(), []byte(probeModule))
	if !errors.Is(err, errNoMachineCode) {
		t.Errorf("error %v, want %v", err, errNoMachineCode)
	}
}

func TestClosed(t *testing.T) {
	c := open(t, Options{})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile(t.Context(), tiny(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want %v", err, ErrClosed)
	}
}
