package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/drill"
	"sluice/gateway/localkafka"
)

// drillFlags are the flags of drill that are not its options.
type drillFlags struct {
	drill.Options
	kafkaHome, report string
}

func drillCommand() *cobra.Command {
	f := &drillFlags{}
	cmd := &cobra.Command{
		Use:   "drill",
		Short: "Break brokers, networks and the gateway under load, and check every answer",
		Long: `Start a real Kafka of three brokers and a gateway as child processes on the loopback, let many senders send, break something,
and read the topics back with another Kafka client. Every answer has to hold: 200 is in the log once, in order, at the place that
was answered and with the same bytes; what was refused is not there; 504, or a broken connection, is there at most once. What became
a dead letter is in the dead-letter topic as it was sent, and nowhere else. A transaction is there as a whole or not at all. 202 of a
topic with a spool is in the log whatever was killed, and twice only after a kill of the gateway.

Ends with status 1 if one did not. Faults:

` + drillFaults(),
		Example: `  sluice drill --rounds 3
  sluice drill --faults leader-kill,all-stop+gateway-kill --duration 20s --report drill.json
  sluice drill --faults pairs --rounds 10`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return f.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.Faults, "faults", []string{"all"}, "`names` as above; a+b for both at once; all for each alone; pairs for each with another by chance")
	flags.IntVar(&f.Rounds, "rounds", 1, "how often")
	flags.DurationVar(&f.Hold, "duration", 8*time.Second, "how long a fault lasts")
	flags.IntVar(&f.Rate, "rate", 200, "requests per second, all senders together")
	flags.Uint64Var(&f.Seed, "seed", rand.Uint64()>>32, "of the pairs")
	flags.StringVar(&f.report, "report", "", "write everything as JSON to this `file`")
	flags.BoolVar(&f.Keep, "keep", false, "keep histories and logs of rounds without findings too")
	flags.StringVar(&f.Dir, "dir", "", "`folder` for brokers, histories and logs (default a new one; it is removed unless something is kept)")
	flags.StringVar(&f.Binary, "binary", "", "the sluice to drill (default this one)")
	flags.StringVar(&f.kafkaHome, "kafka-home", os.Getenv("KAFKA_HOME"), "an unpacked Apache Kafka (default KAFKA_HOME)")
	flags.Lookup("seed").DefValue = "by chance"
	return cmd
}

// drillFaults is the list of faults, for --help.
func drillFaults() string {
	var b strings.Builder
	for _, f := range drill.Faults() {
		fmt.Fprintf(&b, "  %-18s %s\n", f.Name, f.About)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (f *drillFlags) run(ctx context.Context, out, errOut io.Writer) error {
	if err := f.Check(); err != nil {
		return usageError{err}
	}
	if f.kafkaHome == "" {
		return errors.New("drill needs a real Kafka: unpack one from kafka.apache.org and give --kafka-home or KAFKA_HOME")
	}
	var err error
	if f.Kafka, err = localkafka.Find(f.kafkaHome); err != nil {
		return fmt.Errorf("--kafka-home: %w", err)
	}
	remove, err := f.prepare()
	if err != nil {
		return err
	}
	began := time.Now()
	f.Say = func(format string, args ...any) {
		fmt.Fprintf(errOut, "%6.1fs "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}
	report, err := drill.Drill(ctx, f.Options)
	err = errors.Join(err, f.tell(report, out))
	if remove && !f.Keep && err == nil && report.Found() == 0 {
		return os.RemoveAll(f.Dir)
	}
	return err
}

// prepare finds the binary, and a folder for what is written; that may be removed if nobody asked for it.
func (f *drillFlags) prepare() (remove bool, err error) {
	if f.Binary == "" {
		if f.Binary, err = os.Executable(); err != nil {
			return false, fmt.Errorf("the path of this program, which is drilled: %w", err)
		}
	}
	if f.Binary, err = filepath.Abs(f.Binary); err != nil {
		return false, err
	}
	if f.Dir == "" {
		f.Dir, err = os.MkdirTemp("", "sluice-drill-")
		return true, err
	}
	if f.Dir, err = filepath.Abs(f.Dir); err != nil {
		return false, err
	}
	return false, os.MkdirAll(f.Dir, 0o755)
}

// tell prints the report and writes it to the file. It fails if there are findings.
func (f *drillFlags) tell(report *drill.Report, out io.Writer) error {
	err := report.Text(out)
	if f.report != "" {
		file, createErr := os.Create(f.report)
		if createErr != nil {
			return errors.Join(err, createErr)
		}
		err = errors.Join(err, report.JSON(file), file.Close())
	}
	return errors.Join(err, report.Err())
}
