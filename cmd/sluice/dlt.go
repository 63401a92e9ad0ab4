package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/dlt"
	"sluice/gateway/config"
	"sluice/gateway/deadletter"
)

func dltCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlt",
		Short: "List, show and replay dead letters",
		Long: `A dead letter is a record that could not be stored in its topic and stands in its dead-letter topic instead, as it was sent and
with the reason in its headers. Those of Spring Kafka are understood too.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see sluice dlt --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(dltListCommand(), dltShowCommand(), dltReplayCommand())
	return cmd
}

// topicHelp says what TOPIC may be, for the help of every command.
const topicHelp = `TOPIC is a dead-letter topic, or a topic of the configuration that has one. The cluster is that of the configuration; with the
embedded broker, the one of the gateway that runs. A topic is read up to where it ends when the command begins.`

// desk is what all commands for dead letters share.
type desk struct {
	file     string
	brokers  []string
	progress bool

	cfg     *config.Config
	cluster *dlt.Cluster
}

func (d *desk) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&d.file, "config", "c", defaultConfig, "configuration `file`")
	cmd.Flags().StringSliceVar(&d.brokers, "brokers", nil, "`host:port` of brokers, instead of bootstrap.servers")
	cmd.Flags().BoolVar(&d.progress, "progress", false, "tell of the progress even if stderr is no terminal")
}

// connect reads the configuration and runs do with a connection to the cluster.
func (d *desk) connect(cmd *cobra.Command, do func(ctx context.Context) error) error {
	var err error
	if d.cfg, err = loadConfig(d.file, cmd.Flags().Changed("config")); err != nil {
		return err
	}
	k := d.cfg.Kafka
	if len(d.brokers) > 0 {
		k.Bootstrap = d.brokers
	} else if k.IsEmbedded() {
		k.Bootstrap = []string{d.cfg.Embedded.Listen}
	}
	ctx, cancel := untilSignal(cmd)
	defer cancel()
	if d.cluster, err = dlt.Connect(ctx, k); err != nil {
		return err
	}
	defer d.cluster.Close()
	d.cluster.Tell = d.teller(cmd.ErrOrStderr())
	return do(ctx)
}

func (d *desk) teller(w io.Writer) func(format string, args ...any) {
	if d.progress {
		return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	}
	return func(format string, args ...any) { progress(w, format, args...) }
}

// topic is the dead-letter topic that a name on the command line means.
func (d *desk) topic(name string) string {
	if t, ok := d.cfg.Topic(name); ok && t.DeadLetter.Topic != "" && !d.isLetters(name) {
		return t.DeadLetter.Topic
	}
	return name
}

// isLetters says whether it is the dead-letter topic of a topic of the configuration, although it may have one of its own.
func (d *desk) isLetters(name string) bool {
	for _, other := range d.cfg.Literal() {
		if t, ok := d.cfg.Topic(other); ok && t.DeadLetter.Topic == name {
			return true
		}
	}
	return false
}

// written says what step 2 of a topic does with keys and values; "" if nothing.
func (d *desk) written(topic string) string {
	t, ok := d.cfg.Topic(topic)
	switch {
	case ok && t.Value != nil:
		return "value.serializer = " + t.Value.Name
	case ok && t.Key != nil:
		return "key.serializer = " + t.Key.Name
	case ok && t.KeyFrom != nil:
		return "key.from"
	}
	return ""
}

// filterFlags are the flags that choose letters.
type filterFlags struct {
	dlt.Filter
	key, since, until string
}

func (f *filterFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.ID, "id", "", "only the letter with this `id`")
	flags.StringVar(&f.Cause, "cause", "", "only of this `cause`: interceptor, broker, schema or undelivered")
	flags.StringVar(&f.Code, "code", "", "only of this `code`, as list prints it")
	flags.StringVar(&f.Module, "module", "", "only what the `module` of this name failed on")
	flags.StringVar(&f.Outcome, "outcome", "", "only of this `outcome`: not_stored, or unknown (the record may be in its topic too)")
	flags.StringVar(&f.key, "key", "", "only records with this `key`")
	flags.StringVar(&f.From, "from-topic", "", "only what was sent to this `topic`")
	flags.StringVar(&f.since, "since", "", "only what became a dead letter at this `time` or later: RFC 3339, or how long ago, such as 2h")
	flags.StringVar(&f.until, "until", "", "only what became one before this `time`")
	flags.IntVar(&f.Limit, "limit", 0, "at most so many letters; 0 is all")
}

func (f *filterFlags) parse(cmd *cobra.Command) (dlt.Filter, error) {
	var errs []error
	now := time.Now()
	at := func(flag, text string, to *time.Time) {
		if text == "" {
			return
		}
		var err error
		if *to, err = dlt.ParseTime(text, now); err != nil {
			errs = append(errs, fmt.Errorf("--%s %w", flag, err))
		}
	}
	at("since", f.since, &f.Since)
	at("until", f.until, &f.Until)
	if cmd.Flags().Changed("key") {
		f.Key = &f.key
	}
	oneOf := func(flag, value string, values ...string) {
		if value != "" && !slices.Contains(values, value) {
			errs = append(errs, fmt.Errorf("--%s %q: it must be one of %s", flag, value, strings.Join(values, ", ")))
		}
	}
	oneOf("cause", f.Cause, deadletter.CauseInterceptor, deadletter.CauseBroker, deadletter.CauseSchema, deadletter.CauseUndelivered)
	oneOf("outcome", f.Outcome, deadletter.NotStored, deadletter.OutcomeUnknown)
	if f.Limit < 0 {
		errs = append(errs, fmt.Errorf("--limit %d: it must not be negative", f.Limit))
	}
	if err := errors.Join(errs...); err != nil {
		return f.Filter, usageError{err}
	}
	return f.Filter, nil
}

func dltListCommand() *cobra.Command {
	var d desk
	var f filterFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list TOPIC...",
		Short: "List dead letters",
		Long:  topicHelp,
		Example: `  sluice dlt list orders --pending --since 2h
  sluice dlt list orders.DLT --module schema-guard --json | jq -r .message`,
		Args: atLeastArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.parse(cmd)
			if err != nil {
				return err
			}
			out := dlt.Output{W: cmd.OutOrStdout(), JSON: asJSON, Notes: cmd.OutOrStdout()}
			if asJSON {
				out.Notes = cmd.ErrOrStderr()
			}
			return d.connect(cmd, func(ctx context.Context) error {
				for i, name := range args {
					if i > 0 && !asJSON {
						fmt.Fprintln(cmd.OutOrStdout())
					}
					if err := d.list(ctx, out, name, filter); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	d.register(cmd)
	f.register(cmd)
	cmd.Flags().BoolVar(&f.Pending, "pending", false, "only what was not replayed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per line, with everything; bytes in base64")
	return cmd
}

// list lists what a name on the command line means. If there is nothing it says what is missing for it.
func (d *desk) list(ctx context.Context, out dlt.Output, name string, f dlt.Filter) error {
	topic := d.topic(name)
	n, err := d.cluster.List(ctx, out, topic, f)
	if err != nil && topic != name {
		return fmt.Errorf("dead letters of topic %q: %w", name, err)
	}
	if t, ok := d.cfg.Topic(topic); err == nil && n == 0 && ok && t.DeadLetter.Topic == "" && !d.isLetters(topic) {
		fmt.Fprintf(out.Notes, "topic %q itself was read, as it has neither dead_letter.enable nor dead_letter.topic in the configuration\n", topic)
	}
	return err
}

func dltShowCommand() *cobra.Command {
	var d desk
	var f dlt.Filter
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show TOPIC PARTITION@OFFSET | TOPIC --id ID",
		Short: "Show everything about one dead letter",
		Long:  topicHelp,
		Args:  betweenArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 2) == (f.ID != "") {
				return usageError{errors.New("give the letter as PARTITION@OFFSET or with --id")}
			}
			if len(args) == 2 {
				at, err := dlt.ParsePosition(args[1])
				if err != nil {
					return usageError{err}
				}
				f.At = &at
			}
			return d.connect(cmd, func(ctx context.Context) error {
				return d.cluster.Show(ctx, cmd.OutOrStdout(), d.topic(args[0]), f, asJSON)
			})
		},
	}
	d.register(cmd)
	cmd.Flags().StringVar(&f.ID, "id", "", "`id` of the letter")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON; bytes in base64")
	return cmd
}

// defaultReplayTimeout is longer than delivery.timeout.ms is by default.
const defaultReplayTimeout = 3 * time.Minute

func dltReplayCommand() *cobra.Command {
	var d desk
	var f filterFlags
	r := dlt.Replay{}
	cmd := &cobra.Command{
		Use:   "replay TOPIC",
		Short: "Send the records of dead letters again",
		Long:  replayHelp,
		Example: `  sluice dlt replay orders --dry-run
  sluice dlt replay orders --module schema-guard
  sluice dlt replay orders --via kafka --limit 100`,
		Args: betweenArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkReplay(&r); err != nil {
				return err
			}
			var err error
			if r.Filter, err = f.parse(cmd); err != nil {
				return err
			}
			if !cmd.Flags().Changed("keep-partition") {
				r.KeepPartition = r.Via == dlt.ViaKafka
			}
			return d.connect(cmd, func(ctx context.Context) error {
				r.Topic = d.topic(args[0])
				if r.URL == "" {
					r.URL = dataURL(d.cfg.HTTP.Listen)
				}
				r.Written = d.written
				return d.cluster.Replay(ctx, cmd.OutOrStdout(), r)
			})
		},
	}
	d.register(cmd)
	f.register(cmd)
	cmd.Flags().BoolVar(&r.DryRun, "dry-run", false, "only say what would be done")
	cmd.Flags().StringVar(&r.Via, "via", dlt.ViaGateway, "`way` of the records: gateway or kafka")
	cmd.Flags().StringVar(&r.URL, "url", "", "`URL` of the gateway (default as [http] listen of the configuration)")
	cmd.Flags().StringVar(&r.To, "to", "", "`topic` to send to, instead of the one of each record")
	cmd.Flags().BoolVar(&r.KeepPartition, "keep-partition", false, "send to the partition that the record was sent to, if it had one (default true with --via kafka)")
	cmd.Flags().DurationVar(&r.Timeout, "timeout", defaultReplayTimeout, "how long to try with one letter that cannot be taken now")
	return cmd
}

const replayHelp = `Send the records of dead letters again, as they were sent: key, value, headers and timestamp. The letters of a partition are
replayed in order. Each is marked then, by a record in the dead-letter topic that list and show do not show, so that a second run
repeats nothing. What became a dead letter again counts as replayed, because there is a new letter. The exit status is 1 if a
letter was not replayed or became one again. In a topic with retention.ms, what was sent longer ago than that is soon deleted.

--via gateway sends them through the interceptors and the partitioner of their topic. If this command is killed, letters that it
had not marked yet are sent again by the next run, with the same Idempotency-Key (their id): they are stored once only if they
reach the same replica of the gateway and it still remembers the key (idempotency.ttl.ms, idempotency.max.bytes, no restart). So
do not go on with --via kafka then.

--via kafka sends them straight to their topic, past all modules, and so not to a topic with a serializer: to the partition they were sent to, or if there is none by their
key as Java's producer does. Records and marks are written in one transaction, so that nothing is lost or stored twice whenever
this command is killed. It needs the right to write there, and readers with isolation.level=read_committed.

Both use the transactional id sluice-dlt-replay-TOPIC, which they need the right to use, as that to write marks to the dead-letter
topic: a second replay of the same topic ends the first one. The topic must not be compacted, as marks have no key.

` + topicHelp

func checkReplay(r *dlt.Replay) error {
	var errs []error
	if r.Via != dlt.ViaGateway && r.Via != dlt.ViaKafka {
		errs = append(errs, fmt.Errorf("--via %q: it must be %s or %s", r.Via, dlt.ViaGateway, dlt.ViaKafka))
	}
	if r.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("--timeout %v: it must be more than 0", r.Timeout))
	}
	if r.URL != "" {
		if !strings.Contains(r.URL, "://") {
			r.URL = "http://" + r.URL
		}
		if u, err := url.Parse(r.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("--url %q: it must be a URL such as http://127.0.0.1:8080", r.URL))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return usageError{err}
	}
	return nil
}

// dataURL is where a gateway that listens so can be reached from here.
func dataURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// atLeastArgs refuses fewer than least arguments.
func atLeastArgs(least int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.MinimumNArgs(least)(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}
