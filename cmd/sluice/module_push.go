package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/guest"
	"sluice/gateway/registry"
	"sluice/gateway/toolchain"
)

func modulePushCommand() *cobra.Command {
	var activate bool
	cmd := remoteCommand("push [NAME [FILE.wasm|DIR]]", "Upload a module to a gateway that runs",
		`Upload a module. DIR, by default the current folder, is built first; NAME is by default the folder's. The first version of a
module is active at once; others are with --activate, or later with activate, canary or shadow.`,
		betweenArgs(0, 2), func(ctx context.Context, r *remote, args []string) error {
			path := "."
			if len(args) == 2 {
				path = args[1]
			}
			name, err := pushName(args)
			if err != nil {
				return err
			}
			wasm, err := moduleBytes(ctx, r.errOut, path)
			if err != nil {
				return err
			}
			progress(r.errOut, "uploading %d bytes", len(wasm))
			return r.push(ctx, name, wasm, activate)
		})
	cmd.Flags().BoolVar(&activate, "activate", false, "make it the version that runs")
	return cmd
}

func pushName(args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	dir, err := filepath.Abs(".")
	return filepath.Base(dir), err
}

// moduleBytes reads a .wasm file, or builds a folder.
func moduleBytes(ctx context.Context, errOut io.Writer, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return os.ReadFile(path)
	}
	progress(errOut, "building %s", path)
	wasm, _, err := toolchain.Build(ctx, path, toolchain.Options{Cache: builtModules()})
	return wasm, err
}

func (r *remote) push(ctx context.Context, name string, wasm []byte, activate bool) error {
	path := modulePath(name)
	if activate {
		path += "?activate=true"
	}
	var report guest.Report
	show, err := r.do(ctx, request{method: http.MethodPut, path: path, header: http.Header{"Content-Type": {typeWasm}}, body: bytes.NewReader(wasm)}, &report)
	if show {
		printReport(r.out, report)
	}
	return err
}

func printReport(w io.Writer, r guest.Report) {
	state := "uploaded"
	if r.Known {
		state = "known already"
	}
	if r.Active {
		state += ", active"
	}
	fmt.Fprintf(w, "%s %s: %s\n", r.Module, registry.Short(r.Version), state)
	fmt.Fprintf(w, "  %s; %d bytes, %d functions, memory %s of at most %s, compiled in %.0f ms\n",
		strings.Join(r.Kinds, " and "), r.Size, r.Functions, bytesText(r.Memory.Initial), bytesText(r.Memory.Max), r.CompileMs)
	if d := r.DryRun; d != nil {
		for _, hook := range slices.Sorted(maps.Keys(d.FuelPerRecord)) {
			fmt.Fprintf(w, "  %s took %d fuel per record of the dry run\n", hook, d.FuelPerRecord[hook])
		}
		for _, f := range d.Failures {
			fmt.Fprintf(w, "  dry run: %s\n", f)
		}
	}
	for _, id := range r.Pruned {
		fmt.Fprintf(w, "  version %s was removed (wasm.registry.versions.max)\n", registry.Short(id))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "  warning: %s\n", warning)
	}
	if !r.Active {
		fmt.Fprintf(w, "  next: sluice module activate %s %s\n", r.Module, registry.Short(r.Version))
	}
}

// bytesText is a number of bytes as people read it.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d B", n)
	}
}
