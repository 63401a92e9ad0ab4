package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
)

func moduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "module",
		Short: "Write, build, test, upload and roll out WebAssembly modules",
		Long: `A module is a partitioner, an interceptor or both: code of yours that Sluice runs on every record of a topic.
new writes a project to begin with, build compiles it, test runs it on records, push uploads it to a gateway that runs, bind
binds it to a topic there.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see sluice module --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(moduleNewCommand(), moduleBuildCommand(), moduleTestCommand(),
		modulePushCommand(), moduleListCommand(), moduleShowCommand(), moduleTryCommand(), moduleLogsCommand(),
		moduleActivateCommand(), moduleCanaryCommand(), moduleShadowCommand(), modulePromoteCommand(), moduleCancelCommand(),
		moduleRollbackCommand(), moduleRemoveCommand(), moduleBindCommand(), moduleUnbindCommand())
	return cmd
}

// betweenArgs refuses fewer than least arguments or more than most.
func betweenArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		n := len(args)
		if n >= least && n <= most {
			return nil
		}
		few := "too few arguments"
		if n > most {
			few = "too many arguments"
		}
		return usageError{fmt.Errorf("%s: it is %s; see %s --help", few, cmd.UseLine(), cmd.CommandPath())}
	}
}

// untilSignal is a context that SIGINT and SIGTERM end, for work that has something to clean up.
func untilSignal(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
}

// progress tells on stderr what is going on, when somebody is looking.
func progress(w io.Writer, format string, args ...any) {
	f, ok := w.(*os.File)
	if !ok {
		return
	}
	if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(f, format+"\n", args...)
	}
}

// printJSON prints the result of a command that was asked for JSON.
func printJSON(w io.Writer, result any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// builtModules is the folder that keeps what was built from source; "" where the system has no place for it.
func builtModules() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "sluice", "built")
}
