package gateway

import (
	"fmt"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/metrics"
	"sluice/gateway/schema"
	"sluice/gateway/schema/embedded"
)

// openSchemas starts the embedded schema registry, if that is to be used, and the client of the registry, if there is one.
func (g *Gateway) openSchemas(cfg *config.Config) error {
	s := cfg.Schema
	var err error
	if s.IsEmbedded() {
		if g.schemaRegistry, err = embedded.Start(s.Listen, cfg.Embedded.DataDir, g.log); err != nil {
			return err
		}
		s.URLs = []string{g.schemaRegistry.URL()}
	}
	g.schemas, err = schema.Open(s, g.log)
	return err
}

func (g *Gateway) closeSchemas() error {
	if g.schemas != nil {
		g.schemas.Close()
	}
	if g.schemaRegistry != nil {
		return g.schemaRegistry.Close()
	}
	return nil
}

// SchemaRegistryURL is where the embedded schema registry listens; "" if it is not used.
func (g *Gateway) SchemaRegistryURL() string {
	if g.schemaRegistry == nil {
		return ""
	}
	return g.schemaRegistry.URL()
}

// serialize gives a topic what its settings say of keys and values.
func (s *Topics) serialize(e *topicEntry) error {
	made, err := schema.NewSerializer(&e.cfg, s.schemas)
	if err != nil {
		return fmt.Errorf("topic %q: %w", e.cfg.Name, err)
	}
	if made != nil { // an interface that holds a nil pointer is not nil
		e.serializer, e.topic.serializer = made, made
	}
	return nil
}

// schemasSnapshot is what the metrics show of serializers now.
func (g *Gateway) schemasSnapshot() metrics.Schemas {
	st, c := &g.schemas.Stats, g.schemas.Cached()
	s := metrics.Schemas{
		Encodes:    make(map[string]int64),
		Mismatches: st.Mismatches.Load(), Refused: st.Refused.Load(), Unavailable: st.Unavailable.Load(),
		Answered: st.Answered.Load(), Denied: st.Denied.Load(), Failed: st.Failed.Load(),
		Latency: time.Duration(st.LatencyNanos.Load()), Stale: st.Stale.Load(),
		Known: int64(c.Schemas), Subjects: int64(c.Subjects), Registrations: int64(c.Registrations), Missing: int64(c.Missing), CacheBytes: int64(c.Bytes),
		Hits: c.Hits, Misses: c.Misses,
	}
	for _, f := range schema.Formats() {
		s.Encodes[f.Name()] = st.Encodes[f].Load()
	}
	return s
}
