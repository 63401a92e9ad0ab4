package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"sluice/gateway"
	"sluice/gateway/config"
)

// defaultConfig is the file that serve and check read when --config is not given. It may be missing.
const defaultConfig = "config.toml"

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Run the gateway until SIGTERM or SIGINT. Then new records are refused, accepted ones and what waits in spools are sent within
shutdown.timeout.ms, and the exit status is 0 if none is left; what is left in a spool is safe there. A second signal leaves at once with status 1.
SIGHUP, or saving the file or a schema file that it names, reloads the configuration.

Without --config it reads config.toml of the current folder; if there is none it serves on built-in defaults.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(file, cmd.Flags().Changed("config"))
			if err != nil {
				return err
			}
			return serve(cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`")
	return cmd
}

// loadConfig reads file. If nobody asked for it and it is not there, the built-in defaults are used.
func loadConfig(file string, asked bool) (*config.Config, error) {
	cfg, err := config.Load(file)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return config.Default(), nil
	}
	return cfg, err
}

func serve(cfg *config.Config, out, errOut io.Writer) error {
	log := newLogger(cfg.Log, errOut)
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("the path of this program, which compiles modules in a child process: %w", err)
	}
	g, err := gateway.New(cfg, version(), log, gateway.CompileWith(self, compileArg))
	if err != nil {
		return err
	}
	greet(out, cfg, g)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go suggest(ctx, out, cfg, g)
	stopSignals := onSignals(cancel, log)
	defer stopSignals()
	if os.Getenv("GOMEMLIMIT") == "" {
		go g.LimitMemory(ctx)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	go reloads(ctx, g, cfg.File, hup, log)
	return g.Run(ctx)
}

// reloads follows the configuration file and SIGHUP. Without a file SIGHUP does nothing, least of all end the process, as a
// terminal that closes would have it.
func reloads(ctx context.Context, g *gateway.Gateway, file string, hup <-chan os.Signal, log *slog.Logger) {
	if file != "" {
		g.Watch(ctx, file, hup)
		return
	}
	for {
		select {
		case <-hup:
			log.Warn("nothing to reload: there is no configuration file")
		case <-ctx.Done():
			return
		}
	}
}

// onSignals drains on the first SIGTERM or SIGINT and leaves at once on the second.
func onSignals(drain func(), log *slog.Logger) (stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		log.Info("signal received, draining; a second one leaves at once", "signal", (<-signals).String())
		drain()
		log.Error("second signal, leaving at once; what is in flight has an unknown outcome", "signal", (<-signals).String())
		os.Exit(exitFailed)
	}()
	return func() { signal.Stop(signals) }
}

func newLogger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // the configuration is valid
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// greet says in a few lines what listens where.
func greet(w io.Writer, cfg *config.Config, g *gateway.Gateway) {
	from := cfg.File
	if from == "" {
		from = "built-in defaults (no " + defaultConfig + " here)"
	}
	fmt.Fprintf(w, "sluice %s, settings from %s\n", version(), from)
	fmt.Fprintf(w, "  records  http://%s/v1/topics/{topic}/records\n", g.HTTPAddr())
	fmt.Fprintf(w, "  metrics  http://%s/metrics\n", g.AdminAddr())
	if addr := g.BrokerAddr(); addr != "" {
		kept := "in memory only"
		if cfg.Embedded.DataDir != "" {
			kept = "records kept in " + cfg.Embedded.DataDir
		}
		fmt.Fprintf(w, "  kafka    %s (embedded broker for trying out, %s)\n", addr, kept)
	} else {
		fmt.Fprintf(w, "  kafka    %v\n", cfg.Kafka.Bootstrap)
	}
	if url := g.SchemaRegistryURL(); url != "" {
		fmt.Fprintf(w, "  schemas  %s (embedded schema registry for trying out)\n", url)
	}
}

// suggest says what to try as soon as that works: modules may have to be built first.
func suggest(ctx context.Context, w io.Writer, cfg *config.Config, g *gateway.Gateway) {
	select {
	case <-g.Started():
	case <-ctx.Done():
		return
	}
	topic := "orders"
	if _, ok := cfg.Topic(topic); !ok && len(cfg.Literal()) > 0 {
		topic = cfg.Literal()[0]
	}
	if t, ok := cfg.Topic(topic); ok && t.Value != nil {
		return // the value below would not fit
	}
	fmt.Fprintf(w, "try\n  curl -d '{\"a\":1}' http://%s/v1/topics/%s/records\n", g.HTTPAddr(), topic)
}
