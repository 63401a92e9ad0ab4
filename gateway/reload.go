package gateway

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/registry"
)

// watchInterval is how often the configuration file is looked at, and the schema files that it names. A stat a second costs nothing, and
// unlike a watch it also sees files that are replaced through a symbolic link, as Kubernetes does.
const watchInterval = time.Second

// Reload puts the topics of next in the place of those in use: they are built completely, swapped, and the old ones
// drained. An error changes nothing. Sections other than topics need a restart; a change there is logged.
func (g *Gateway) Reload(next *config.Config) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	return g.swap(next)
}

// rebind is Reload of the configuration in use, for bindings that were made elsewhere.
func (g *Gateway) rebind() error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	return g.swap(g.cfg.Load())
}

// swap does what Reload says. The caller holds reloading.
func (g *Gateway) swap(next *config.Config) error {
	if g.stopping.Load() {
		return errors.New("the gateway is stopping")
	}
	old := g.topics.Load()
	topics, err := g.newTopics(g.retireCtx, next, old)
	if err != nil {
		return err
	}
	logRestartOnly(g.log, g.cfg.Load(), next)
	g.topics.Store(topics)
	g.cfg.Store(next)
	g.leavingMu.Lock()
	g.leaving = append(g.leaving, old)
	g.leavingMu.Unlock()
	g.spools.settle(topics)
	g.background.Go(topics.wakeSpools)
	g.warm(topics)
	g.background.Go(func() { old.retire(g.retireCtx, topics) })
	return nil
}

// followBindings has topics built again whose bindings were changed by the API, until ctx ends.
func (g *Gateway) followBindings(ctx context.Context, w *registry.Watch) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.Ready():
		}
		change := w.Take()
		if waits := len(g.topics.Load().kept) > 0; len(change.Topics) == 0 && !(waits && len(change.Modules) > 0) {
			continue
		}
		if err := g.rebind(); err != nil {
			g.log.Error("bindings that were changed are not in use; those before stay", "error", err)
		}
	}
}

// eachLeaving calls f with the topics that a reload replaced, until all their records are answered and f has seen that.
func (g *Gateway) eachLeaving(f func(*topicEntry)) {
	g.leavingMu.Lock()
	defer g.leavingMu.Unlock()
	told := make(map[*topicEntry]bool) // those in use, and those that an older set already showed
	g.topics.Load().each(func(e *topicEntry) { told[e] = true })
	g.leaving = slices.DeleteFunc(g.leaving, func(s *Topics) bool {
		done := s.retired.Load() // before f looks, so that it sees the end
		s.each(func(e *topicEntry) {
			if !told[e] {
				told[e] = true
				f(e)
			}
		})
		return done
	})
}

// logRestartOnly names the sections that differ but cannot change while it runs.
func logRestartOnly(log *slog.Logger, old, next *config.Config) {
	for _, s := range []struct {
		name string
		a, b any
	}{
		{"[kafka]", old.Kafka, next.Kafka},
		{"[embedded]", old.Embedded, next.Embedded},
		{"[http]", old.HTTP, next.HTTP},
		{"[admin]", old.Admin, next.Admin},
		{"[log]", old.Log, next.Log},
		{"[wasm]", old.Wasm, next.Wasm},
		{"[transactions]", old.Transactions, next.Transactions},
		{"[schema]", old.Schema, next.Schema},
	} {
		if !reflect.DeepEqual(s.a, s.b) {
			log.Warn("a changed section takes effect at the next start", "section", s.name)
		}
	}
}

// Watch reloads the configuration file whenever it, or a schema file that it names, has changed and is the same at two looks, or at once
// when force is sent to, until ctx ends. A bad file changes nothing and is reported in the log.
func (g *Gateway) Watch(ctx context.Context, path string, force <-chan os.Signal) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	f := newConfigFile(path, g.schemaFiles)
	for {
		select {
		case <-ctx.Done():
			return
		case <-force:
		case <-tick.C:
			if !f.changed() {
				continue
			}
		}
		g.reloadFile(f)
	}
}

func (g *Gateway) reloadFile(f *configFile) {
	next, err := f.reload()
	if errors.Is(err, errBeingWritten) {
		return // it is looked at again
	}
	if err == nil {
		err = g.Reload(next)
	}
	g.metrics.Reloaded(err == nil)
	if err != nil {
		g.log.Error("the configuration was not reloaded; the one before stays in use", "error", err)
		return
	}
	f.only(next.SchemaFiles())
	g.log.Info("configuration reloaded", "file", f.path)
}
