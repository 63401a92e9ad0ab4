package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/toolchain"
)

// builtModule is what module build prints.
type builtModule struct {
	File     string `json:"file"`
	Bytes    int    `json:"bytes"`
	SHA256   string `json:"sha256"` // what the registry calls this version
	Language string `json:"language"`
	Compiler string `json:"compiler"`
	Cached   bool   `json:"cached"`
	TookMS   int64  `json:"took_ms"`
}

func moduleBuildCommand() *cobra.Command {
	var out, cache string
	var timeout time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Compile the source in a folder to a module",
		Long: `Compile the source in DIR, by default the current folder, with the compiler of its language: go, clang, rustc or cargo, asc.
What was built before, of the same source with the same compiler, is taken from the cache. Nothing but the module is written.`,
		Args: betweenArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if timeout <= 0 {
				return usageError{fmt.Errorf("--timeout %v: it must be more than 0", timeout)}
			}
			ctx, cancel := untilSignal(cmd)
			defer cancel()
			progress(cmd.ErrOrStderr(), "building %s", dir)
			m, err := buildTo(ctx, dir, out, toolchain.Options{Cache: cache, Timeout: timeout})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), m)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), m)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "`file` to write (default NAME.wasm in the current folder, NAME being DIR's)")
	cmd.Flags().StringVar(&cache, "cache", builtModules(), "`folder` that keeps what was built; empty to build each time")
	cmd.Flags().DurationVar(&timeout, "timeout", toolchain.DefaultTimeout, "how long the compiler may take")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// buildTo builds the source in dir and writes the module to the file out, "" for one called as the folder.
func buildTo(ctx context.Context, dir, out string, o toolchain.Options) (builtModule, error) {
	if out == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return builtModule{}, err
		}
		out = filepath.Base(abs) + ".wasm"
	}
	wasm, info, err := toolchain.Build(ctx, dir, o)
	if err != nil {
		return builtModule{}, err
	}
	sum := sha256.Sum256(wasm)
	m := builtModule{
		File: out, Bytes: len(wasm), SHA256: hex.EncodeToString(sum[:]), Language: string(info.Language), Compiler: info.Compiler,
		Cached: info.Cached, TookMS: info.Took.Milliseconds(),
	}
	return m, toolchain.WriteFile(out, wasm)
}

func (m builtModule) String() string {
	how := "built"
	if m.Cached {
		how = "from the cache"
	}
	took := time.Duration(m.TookMS) * time.Millisecond
	return fmt.Sprintf("%s: %d bytes of %s, %s in %v (%s)", m.File, m.Bytes, m.Language, how, took, m.Compiler)
}
