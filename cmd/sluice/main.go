// Command sluice is the Sluice gateway and everything that goes with it: one binary.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/bench"
	"sluice/wasmhost/compile"
)

// Exit statuses of every sub-command.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// compileArg starts this binary as the child that compiles a module, away from the gateway.
const compileArg = "__compile"

func main() {
	if len(os.Args) == 2 && os.Args[1] == compileArg {
		os.Exit(compile.Child(os.Stdin, os.Stdout))
	}
	root := newRoot()
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "sluice:", err)
		os.Exit(exitStatus(err))
	}
}

func exitStatus(err error) int {
	var usage usageError
	var benchUsage *bench.UsageError
	if errors.As(err, &usage) || errors.As(err, &benchUsage) {
		return exitUsage
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "sluice",
		Short:         "A WebAssembly-extensible produce gateway for Kafka",
		Long:          "Sluice takes records over HTTP and produces them to Kafka. It answers 200 when they are stored.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// An unknown sub-command is wrong usage, not a failure.
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see sluice --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(), checkCommand(), moduleCommand(), dltCommand(), schemaCommand(), versionCommand(), drillCommand(), bench.Command())
	return root
}

// noArgs refuses arguments that a command does not take.
func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}
