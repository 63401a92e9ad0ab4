package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/embedded"
	"sluice/gateway/guest"
	"sluice/gateway/ingest"
	"sluice/gateway/metrics"
	"sluice/gateway/producer"
	"sluice/gateway/record"
	"sluice/gateway/registry"
	"sluice/gateway/schema"
	schemaembedded "sluice/gateway/schema/embedded"
	"sluice/wasmhost"
)

// Gateway is one replica of Sluice.
type Gateway struct {
	cfg atomic.Pointer[config.Config]
	// schemaFiles is how the schema files were before they were read for the first time; for Watch.
	schemaFiles stamps
	log         *slog.Logger
	broker      *embedded.Broker // nil with a real cluster
	cluster     *producer.Cluster
	topics      atomic.Pointer[Topics]

	transactions *producer.Transactions // nil without a transactional.id.prefix

	schemaRegistry *schemaembedded.Registry // nil unless it is in this process
	schemas        *schema.Registry

	compileCommand []string
	host           *wasmhost.Host
	registry       *registry.Registry
	modules        *guest.Modules

	pool      *record.Pool
	letterIDs *letterIDs
	spools    *spools

	metrics *metrics.Set
	ingest  *ingest.Server
	admin   *admin.Server
	httpLn  net.Listener
	adminLn net.Listener

	started    chan struct{} // closed when topics serve
	stopping   atomic.Bool
	reloading  sync.Mutex
	background sync.WaitGroup  // retiring topic sets that a reload replaced, and looking topics up ahead
	retireCtx  context.Context //nolint:containedctx // ends when they have to give up
	giveUp     context.CancelFunc
	leavingMu  sync.Mutex
	leaving    []*Topics // those, until metrics have seen their end
}

// New builds everything but topics with their modules, which may take long, and opens the listeners, so that what can fail
// fails here if it can be known at once. It serves nothing until Run. version is that of the binary, for the metrics and the
// admin plane.
func New(cfg *config.Config, version string, log *slog.Logger, options ...Option) (*Gateway, error) {
	g := &Gateway{log: log, pool: &record.Pool{}, letterIDs: newLetterIDs(), started: make(chan struct{})}
	for _, o := range options {
		o(g)
	}
	g.retireCtx, g.giveUp = context.WithCancel(context.Background())
	g.cfg.Store(cfg)
	g.schemaFiles = look(cfg.SchemaFiles())
	if err := g.build(cfg, version); err != nil {
		g.abandon()
		return nil, err
	}
	return g, nil
}

func (g *Gateway) build(cfg *config.Config, version string) error {
	k := cfg.Kafka
	var err error
	if k.IsEmbedded() {
		if g.broker, err = embedded.Start(cfg.Embedded, cfg.Literal(), g.log); err != nil {
			return err
		}
		k.Bootstrap = []string{g.broker.Addr()}
	}
	if g.cluster, err = producer.New(k, g.log); err != nil {
		return err
	}
	g.spools = g.newSpools()
	if err := g.openSchemas(cfg); err != nil {
		return err
	}
	if err := g.openModules(cfg); err != nil {
		return err
	}
	g.topics.Store(g.noTopics(cfg))
	if err := g.listen(cfg); err != nil {
		return err
	}
	return g.observe(cfg, version)
}

func (g *Gateway) listen(cfg *config.Config) error {
	var err error
	if g.httpLn, err = net.Listen("tcp", cfg.HTTP.Listen); err != nil {
		return fmt.Errorf("http.listen = %q: %w", cfg.HTTP.Listen, err)
	}
	if g.adminLn, err = net.Listen("tcp", cfg.Admin.Listen); err != nil {
		return fmt.Errorf("admin.listen = %q: %w", cfg.Admin.Listen, err)
	}
	return nil
}

// abandon closes what a failed New had opened.
func (g *Gateway) abandon() {
	g.giveUp()
	for _, ln := range []net.Listener{g.httpLn, g.adminLn} {
		if ln != nil {
			ln.Close()
		}
	}
	if g.cluster != nil {
		g.cluster.Close()
	}
	if t := g.topics.Load(); t != nil {
		t.each((*topicEntry).close)
	}
	_ = g.closeModules() // the first error counts
	_ = g.closeSchemas() // the first error counts
	if g.broker != nil {
		_ = g.broker.Close() // the first error counts
	}
}

func (g *Gateway) route(topic string) (*Topic, *record.Error) { return g.topics.Load().find(topic) }

// Topic implements [ingest.Topics] with the topic set that is current.
func (g *Gateway) Topic(name []byte) (ingest.Topic, *record.Error) {
	return g.topics.Load().Topic(name)
}

// HTTPAddr is where the data plane listens.
func (g *Gateway) HTTPAddr() string { return g.httpLn.Addr().String() }

// AdminAddr is where the admin plane listens.
func (g *Gateway) AdminAddr() string { return g.adminLn.Addr().String() }

// BrokerAddr is where the embedded broker listens; "" with a real cluster.
func (g *Gateway) BrokerAddr() string {
	if g.broker == nil {
		return ""
	}
	return g.broker.Addr()
}

// Run serves until ctx ends or a listener fails, then stops in good order: metrics and liveness at once, records when the
// modules of all topics are built, of which an error ends it. It returns nil if every accepted record got its acknowledgement
// within shutdown.timeout.ms.
func (g *Gateway) Run(ctx context.Context) error {
	background, cancel := context.WithCancel(context.Background())
	defer cancel()
	failed := make(chan error, 2)
	var wg sync.WaitGroup
	wg.Go(func() { failed <- g.ingest.Serve(g.httpLn) })
	wg.Go(func() { failed <- g.admin.Serve(g.adminLn) })
	wg.Go(func() { g.metrics.Run(background) })
	changes := g.registry.Watch()
	defer changes.Close()
	changes.Take() // what there is now start sees anyway

	err := g.start(ctx)
	if err == nil {
		if g.transactions != nil {
			g.transactions.Start()
		}
		wg.Go(func() { g.followBindings(background, changes) })
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	err = errors.Join(err, g.stop())
	cancel()
	wg.Wait()
	return err
}
