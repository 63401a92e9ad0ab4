package compile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// probeModule is the smallest module with a function: one type, one function of it, an empty body.
const probeModule = "\x00asm\x01\x00\x00\x00" +
	"\x01\x04\x01\x60\x00\x00" +
	"\x03\x02\x01\x00" +
	"\x0a\x04\x01\x02\x00\x0b"

// runtimeConfig is that of every runtime, here and in the child: wazero's key of machine code depends on it.
func runtimeConfig(cache wazero.CompilationCache) wazero.RuntimeConfig {
	return configured(wazero.NewRuntimeConfigCompiler(), cache)
}

func configured(rc wazero.RuntimeConfig, cache wazero.CompilationCache) wazero.RuntimeConfig {
	return rc.WithCoreFeatures(api.CoreFeaturesV2).
		WithCloseOnContextDone(false).
		WithDebugInfoEnabled(false). // wazero would parse DWARF while it handles a trap
		WithCompilationCache(cache)
}

// trial compiles a module in a runtime that lives no longer. wazero panics where it finds a bug in itself, and where the
// system does not let it have executable memory.
func trial(ctx context.Context, rc wazero.RuntimeConfig, wasm []byte) (err error) {
	defer recovered(&err)
	rt := wazero.NewRuntimeWithConfig(ctx, rc)
	defer func() { err = errors.Join(err, rt.Close(ctx)) }()
	compiled, err := rt.CompileModule(ctx, wasm)
	if err != nil {
		return err
	}
	return compiled.Close(ctx)
}

// trialInto compiles a module into dir as wazero's cache lays it out, and returns the file's name below dir.
func trialInto(ctx context.Context, dir string, rc wazero.RuntimeConfig, wasm []byte) (name string, err error) {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, cache.Close(ctx)) }()
	if err := trial(ctx, configured(rc, cache), wasm); err != nil {
		return "", err
	}
	return onlyFile(dir)
}

// recovered turns a panic into an error; for use with defer.
func recovered(err *error) {
	if p := recover(); p != nil {
		if cause, ok := p.(error); ok && noMemory(cause) {
			*err = cause
			return
		}
		*err = &panicError{p}
	}
}

var errNoMachineCode = errors.New("the compiler left no machine code")

// onlyFile finds the one file in the one directory in dir.
func onlyFile(dir string) (string, error) {
	name := ""
	for range 2 {
		found, err := os.ReadDir(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(found) == 0 {
			return "", errNoMachineCode
		}
		if err != nil {
			return "", err
		}
		if len(found) > 1 {
			return "", fmt.Errorf("the compiler left %s and %s where one is expected", found[0].Name(), found[1].Name())
		}
		name = filepath.Join(name, found[0].Name())
	}
	st, err := os.Lstat(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	if !st.Mode().IsRegular() || strings.HasSuffix(name, ".tmp") {
		return "", fmt.Errorf("the compiler left %s, which is no finished file", name)
	}
	return name, nil
}

// probe compiles the smallest module into dir and says where its machine code came to lie, which names all that makes
// machine code usable: wazero's version, the system, the architecture (the directory) and the processor's features (part
// of the file's name). The configuration lets wazero choose its engine: the interpreter leaves no file.
func probe(ctx context.Context, dir string) (engine string, err error) {
	engine, err = trialInto(ctx, dir, wazero.NewRuntimeConfig(), []byte(probeModule))
	if err != nil {
		return "", noEngine(err)
	}
	return filepath.ToSlash(engine), nil
}

func noEngine(cause error) error {
	return fmt.Errorf("WebAssembly modules cannot be compiled here (%s/%s: wazero's compiler needs arm64, or amd64 with "+
		"SSE4.1, and memory that may be made executable): %w", runtime.GOOS, runtime.GOARCH, cause)
}
