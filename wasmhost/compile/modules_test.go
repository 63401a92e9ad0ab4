package compile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
)

// tiny is a module that exports f: () -> i32, which returns n (0 to 63).
func tiny(n int) []byte {
	return []byte{
		0, 'a', 's', 'm', 1, 0, 0, 0,
		1, 5, 1, 0x60, 0, 1, 0x7f,
		3, 2, 1, 0,
		7, 5, 1, 1, 'f', 0, 0,
		10, 6, 1, 4, 0, 0x41, byte(n), 0x0b,
	}
}

// illTyped returns nothing where it should return an i32.
func illTyped() []byte {
	return []byte{
		0, 'a', 's', 'm', 1, 0, 0, 0,
		1, 5, 1, 0x60, 0, 1, 0x7f,
		3, 2, 1, 0,
		10, 4, 1, 2, 0, 0x0b,
	}
}

// runs instantiates what Compile made of tiny(n), as the serving side does, and calls it.
func runs(c *Compiler, metered []byte, n int) (err error) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, c.RuntimeConfig())
	defer func() { err = errors.Join(err, rt.Close(ctx)) }()
	mod, err := rt.InstantiateWithConfig(ctx, metered, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return err
	}
	got, err := mod.ExportedFunction("f").Call(ctx)
	if err != nil {
		return err
	}
	if len(got) != 1 || got[0] != uint64(n) {
		return fmt.Errorf("f() = %v, want %d", got, n)
	}
	return nil
}

// goGuest builds the guest in testdata, once.
var goGuest = sync.OnceValues(func() (wasm []byte, err error) {
	dir, err := os.MkdirTemp("", "goguest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./testdata/goguest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	if b, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, b)
	}
	return os.ReadFile(out)
})

func mustGuest(t testing.TB) []byte {
	t.Helper()
	wasm, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// open makes a compiler that the test closes.
func open(t testing.TB, o Options) *Compiler {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func mustCompile(t testing.TB, c *Compiler, wasm []byte) *Result {
	t.Helper()
	res, err := c.Compile(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	return res
}
