package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/wasmhost"
)

// testFlags are the flags of test.
type testFlags struct {
	trialFlags
	limitsFrom, expect string
	update, asJSON     bool
	fuzz               time.Duration
	seed               uint64
}

// tested is what test prints as JSON.
type tested struct {
	Results     []admin.TryResult `json:"results"` // one per hook
	Differences []difference      `json:"differences,omitempty"`
	Fuzz        *fuzzed           `json:"fuzz,omitempty"`
}

func moduleTestCommand() *cobra.Command {
	f := testFlags{}
	cmd := &cobra.Command{
		Use:   "test [DIR|FILE.wasm]",
		Short: "Run a module on records under the limits of production",
		Long: `Run a module, by default the one whose source is in the current folder, on records, and print what it makes of each. Without --in
and --config these are records.jsonl and config.json beside it. No gateway is needed.

With --expect the outcomes are compared with a file, one JSON object a line with "verdict", "changed", "dropped", "route",
"partition", "cause", "reason" and "record"; what a line leaves out is not compared. --update writes that file.
The exit status is 1 if they differ, if the module failed on a record without having refused it, or if --fuzz found something.`,
		Args: betweenArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "."
			if len(args) == 1 {
				path = args[0]
			}
			if err := f.check(); err != nil {
				return err
			}
			ctx, cancel := untilSignal(cmd)
			defer cancel()
			return f.run(ctx, cmd, path)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.limitsFrom, "limits-from", "", "`file` whose [wasm] table has the limits, instead of the defaults")
	cmd.Flags().StringVar(&f.expect, "expect", "", "`file` that says what the outcomes must be")
	cmd.Flags().BoolVar(&f.update, "update", false, "write the file of --expect")
	cmd.Flags().DurationVar(&f.fuzz, "fuzz", 0, "`how long` to change the records at random, looking for one that the module fails on")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "of --fuzz: the same `number` gives the same records; 0 is any")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func (f *testFlags) check() error {
	switch {
	case f.update && f.expect == "":
		return usageError{errors.New("--update: --expect must name the file to write")}
	case f.fuzz < 0:
		return usageError{fmt.Errorf("--fuzz %v: it must not be negative", f.fuzz)}
	case f.expect != "" && f.now == "":
		f.now = "2026-01-01T00:00:00Z" // what is expected must not depend on when
	}
	return nil
}

// failedError is a test that failed; what and why was printed.
type failedError struct{ what []string }

func (e *failedError) Error() string { return strings.Join(e.what, "; ") }

func (f *testFlags) run(ctx context.Context, cmd *cobra.Command, path string) error {
	lines, t, err := f.load(cmd.InOrStdin(), path)
	if err != nil {
		return err
	}
	wasm, err := moduleBytes(ctx, cmd.ErrOrStderr(), path)
	if err != nil {
		return err
	}
	limits, err := f.limits()
	if err != nil {
		return err
	}
	host, err := localHost(limits)
	if err != nil {
		return err
	}
	defer host.Close() //nolint:errcheck // the process ends
	module, err := host.Compile(ctx, wasm)
	if err != nil {
		return err
	}
	defer module.Release()
	hooks, err := f.hooks(module)
	if err != nil {
		return err
	}
	s := session{flags: f, module: module, limits: limits, lines: lines, trial: t, name: moduleName(path), out: cmd.OutOrStdout()}
	return s.run(ctx, hooks)
}

// load reads the records and the configuration.
func (f *testFlags) load(stdin io.Reader, path string) ([]byte, admin.Trial, error) {
	dir := path
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, admin.Trial{}, fmt.Errorf("there is no folder or .wasm file %s", path)
	}
	if err != nil {
		return nil, admin.Trial{}, err
	}
	if !info.IsDir() {
		dir = filepath.Dir(path)
	}
	if f.in == "" {
		f.in = filepath.Join(dir, "records.jsonl")
		if _, err := os.Stat(f.in); errors.Is(err, fs.ErrNotExist) {
			return nil, admin.Trial{}, usageError{fmt.Errorf("there is no %s: --in must name a file of records", f.in)}
		}
	}
	if sample := filepath.Join(dir, "config.json"); f.config == "" {
		if _, err := os.Stat(sample); err == nil {
			f.config = sample
		}
	}
	t, err := f.trial()
	if err != nil {
		return nil, t, err
	}
	lines, _, err := readRecords(f.in, stdin)
	return lines, t, err
}

func (f *testFlags) limits() (config.Wasm, error) {
	if f.limitsFrom == "" {
		return config.Default().Wasm, nil
	}
	cfg, err := config.Load(f.limitsFrom)
	if err != nil {
		return config.Wasm{}, err
	}
	return cfg.Wasm, nil
}

// localHost is a host with the limits of a gateway, and a cache of this user's.
func localHost(w config.Wasm) (*wasmhost.Host, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("the path of this program, which compiles modules in a child process: %w", err)
	}
	w.CacheDir = ""
	if dir, err := os.UserCacheDir(); err == nil {
		w.CacheDir = filepath.Join(dir, "sluice", "compiled")
	}
	return gateway.NewHost(w, []string{self, compileArg}, slog.New(slog.DiscardHandler))
}

// hooks are those to run: the one that was asked for, or all that see records.
func (f *testFlags) hooks(module *wasmhost.Module) ([]wasmhost.Hook, error) {
	has := guest.Hooks(module.Kinds)
	if f.hook == "" && len(has) > 1 && has[len(has)-1] == wasmhost.OnAck {
		has = has[:len(has)-1]
	}
	if f.hook != "" {
		for hook := range wasmhost.NumHooks {
			if hook.String() == f.hook {
				return []wasmhost.Hook{hook}, nil
			}
		}
		return nil, usageError{fmt.Errorf("--hook %q: it must be on_send, partition or on_ack", f.hook)}
	}
	if f.expect != "" && len(has) > 1 {
		return nil, usageError{fmt.Errorf("--expect: the module has several hooks %v, --hook must name one", has)}
	}
	return has, nil
}

// moduleName is the name that a module is told it has.
func moduleName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return strings.TrimSuffix(filepath.Base(path), ".wasm")
}
