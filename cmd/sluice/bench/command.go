package bench

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"
)

// bench is one call of the command.
type bench struct {
	options
	out     io.Writer // the report
	err     io.Writer // progress and warnings
	talkive bool      // tell of the progress
}

// UsageError is a command line that asks for the impossible; the message names every flag that is wrong.
type UsageError struct{ error }

// Unwrap is what is wrong.
func (e *UsageError) Unwrap() error { return e.error }

// Command is `sluice bench`. Its error is a [*UsageError] when nothing was tried, and anything else when it failed.
func Command() *cobra.Command {
	b := &bench{}
	cmd := &cobra.Command{
		Use:   "bench [URL...]",
		Short: "Load a gateway and measure it, alone or beside its limits",
		Long: `Load a gateway over many keep-alive connections and report throughput, latency, and the CPU and memory of the server.

With several URLs they are loaded in turn and compared with the first. With --limit, --overload or --idle, the gateway and
the broker are started here, as child processes on loopback, and stopped at the end.

What a request costs a server depends on how many it gets: a busy one is woken less often per request. Servers that are
compared by CPU per request should therefore be given the same --rate, below what the slower one can carry.`,
		Example: `  sluice bench --connections 64 --size 256 http://127.0.0.1:8080
  sluice bench --rate 5000 --records 100 --ack queued
  sluice bench --limit --duration 5s --rounds 5
  sluice bench --overload
  sluice bench --idle 10000`,
		Args: func(_ *cobra.Command, urls []string) error {
			if err := b.check(urls); err != nil {
				return &UsageError{err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out, b.err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			b.talkive = b.progress || b.err == os.Stderr && isTerminal(os.Stderr)
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return b.run(ctx)
		},
	}
	b.register(cmd.Flags())
	cmd.AddCommand(brokerCommand(), nothingCommand(), tightCommand())
	return cmd
}

func (b *bench) run(ctx context.Context) error {
	switch {
	case b.limit:
		return b.runLimit(ctx)
	case b.overload:
		return b.runOverload(ctx)
	case b.idle > 0:
		return b.runIdle(ctx)
	default:
		return b.runURLs(ctx)
	}
}

// plan is the load of the options on one server.
func (b *bench) plan(base *url.URL, server account) plan {
	l := b.load
	return plan{
		base: base, shape: l.shape, connections: l.connections, warmup: l.warmup, duration: l.duration, rate: l.rate,
		requests: l.requests, timeout: l.timeout, server: server,
	}
}

// warn writes one line to stderr, progress or not.
func (b *bench) warn(format string, args ...any) {
	fmt.Fprintf(b.err, "warning: "+format+"\n", args...)
}

// say tells of the progress.
func (b *bench) say(format string, args ...any) {
	if b.talkive {
		fmt.Fprintf(b.err, format+"\n", args...)
	}
}

// watcher prints a load's progress; nil when nobody is to be told.
func (b *bench) watcher() func(Progress) {
	if !b.talkive {
		return nil
	}
	return func(p Progress) { b.say("%s", p) }
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
