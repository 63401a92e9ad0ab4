package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/registry"
	"sluice/gateway/toolchain"
	guestsdk "sluice/guest-sdk"
	"sluice/modules"
	"sluice/wasmhost"
	"sluice/wasmhost/compile"
	"sluice/wasmhost/meter"
)

// Option changes how a gateway is built.
type Option func(*Gateway)

// CompileWith has modules compiled by a child process: args is a command of this binary that runs compile.Child. Without
// it they are compiled in this process, unprotected from what a compiler may do with hostile input.
func CompileWith(args ...string) Option {
	return func(g *Gateway) { g.compileCommand = args }
}

// openModules starts the WASM host, and opens the registry.
func (g *Gateway) openModules(cfg *config.Config) error {
	w := cfg.Wasm
	host, err := NewHost(w, g.compileCommand, g.log)
	if err != nil {
		return err
	}
	g.host = host
	g.registry, err = registry.Open(w.RegistryDir, registry.Options{
		MaxModules: w.ModulesMax, MaxVersions: w.RegistryVersionsMax, MaxConfigBytes: w.ConfigMaxBytes,
		InUse: g.users,
	})
	if err != nil {
		return fmt.Errorf("wasm.registry.dir = %q: %w", w.RegistryDir, err)
	}
	for _, damage := range g.registry.Damage() {
		g.log.Error("the registry of modules is damaged", "error", damage)
	}
	g.modules = guest.New(guest.Options{Host: host, Registry: g.registry, Build: builder{w, g.log}, Wasm: w, Log: g.log})
	return nil
}

// closeModules ends what openModules began. No topic may use a module any more.
func (g *Gateway) closeModules() error {
	var err error
	if g.modules != nil {
		g.modules.Close()
	}
	if g.registry != nil {
		err = g.registry.Close()
	}
	if g.host != nil {
		err = errors.Join(err, g.host.Close())
	}
	return err
}

// NewHost starts a WASM host with the limits of [wasm].
func NewHost(w config.Wasm, compileCommand []string, log *slog.Logger) (*wasmhost.Host, error) {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	o := wasmhost.Options{Limits: guestLimits(w), Log: log, Name: name}
	o.Compile = compile.Options{
		Dir: w.CacheDir, CacheBytes: w.CacheMaxBytes, CPU: w.CompileCPU, Wall: w.CompileTimeout, Memory: w.CompileMemoryBytes, Log: log,
	}
	if w.CompileChild && w.CacheDir != "" {
		o.Compile.Command = compileCommand
	}
	host, err := wasmhost.New(o)
	if err != nil {
		return nil, fmt.Errorf("wasm.cache.dir = %q: %w", w.CacheDir, err)
	}
	return host, nil
}

func guestLimits(w config.Wasm) wasmhost.Limits {
	m := meter.DefaultLimits()
	m.ModuleBytes, m.MemoryPages, m.TableElements = int(w.ModuleMaxBytes), uint32(w.MemoryMaxBytes>>16), uint32(w.TableMaxElements)
	m.Locals, m.FunctionBytes, m.Functions, m.Types = w.FunctionMaxLocals, int(w.FunctionMaxBytes), w.FunctionsMax, w.TypesMax
	m.CodeGrowth = w.CodeGrowthMax
	m.Globals, m.DataSegments, m.InitFuel = w.GlobalsMax, w.DataSegmentsMax, w.InitFuel
	return wasmhost.Limits{
		Module: m, MemoryTotal: w.MemoryTotalBytes, InitTimeout: w.InitTimeout,
		FuelBase: w.CallFuelBase, FuelPerRecord: w.CallFuelPerRecord, FuelPerByte: w.CallFuelPerByte, FuelMax: w.CallFuelMax, CallTimeout: w.CallTimeout,
		Output: int(w.OutputMaxBytes), Instances: w.Instances, AcquireTimeout: w.AcquireTimeout, InstanceMaxAge: w.InstanceMaxAge,
		LogLinesPerSec: w.LogLinesPerSecond, Counters: w.CountersMax, Config: w.ConfigMaxBytes,
		BreakerFailures: w.BreakerFailures, BreakerWindow: w.BreakerWindow, BreakerBackoff: w.BreakerBackoff, BreakerBackoffMx: w.BreakerBackoffMax,
	}
}

// builder makes .wasm out of source with the compilers of this machine.
type builder struct {
	wasm config.Wasm
	log  *slog.Logger
}

func (b builder) options() toolchain.Options {
	o := toolchain.Options{Log: b.log, Timeout: b.wasm.BuildTimeout, Last: true}
	if b.wasm.CacheDir != "" {
		o.Cache = filepath.Join(b.wasm.CacheDir, "built")
	}
	return o
}

// Folder implements [guest.Builder].
func (b builder) Folder(ctx context.Context, path string) ([]byte, error) {
	if strings.HasSuffix(path, ".wasm") {
		return os.ReadFile(path)
	}
	wasm, _, err := toolchain.Build(ctx, path, b.options())
	return wasm, err
}

// ReadyMade implements [guest.Builder].
func (b builder) ReadyMade(ctx context.Context, name string) ([]byte, bool, error) {
	files, err := modules.Source(name)
	if err != nil {
		return nil, false, nil //nolint:nilerr // there is none of that name
	}
	wasm, _, err := toolchain.BuildFS(ctx, toolchain.Embedded{Name: name, Files: files, SDK: guestsdk.Files}, b.options())
	return wasm, true, err
}

// Watch implements [guest.Builder].
func (b builder) Watch(ctx context.Context, path string, changed func(), gone func(error)) {
	toolchain.Watch(ctx, path, changed, gone)
}
