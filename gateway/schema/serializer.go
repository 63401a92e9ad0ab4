package schema

import (
	"context"
	"sync"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// Serializer is step 2 of one topic: it takes out of values what is to be taken out, and writes keys and values.
type Serializer struct {
	topic      string
	extract    *extractor // nil if nothing is taken out
	key, value *part      // nil: as they come
	buffers    sync.Pool  // of *buffer
}

// buffer is where a value is written before it gets a place in its batch.
type buffer struct{ b []byte }

// NewSerializer makes the Serializer of a topic; nil if nothing is to be done. It reads the schema files that the configuration
// names, and compiles those that need nothing from the registry.
func NewSerializer(cfg *config.Topic, registry *Registry) (*Serializer, error) {
	s := &Serializer{topic: cfg.Name, extract: newExtractor(cfg, &registry.cfg)}
	var err error
	if s.key, err = newPart(cfg, Key, cfg.Key, registry); err != nil {
		return nil, err
	}
	if s.value, err = newPart(cfg, Value, cfg.Value, registry); err != nil {
		return nil, err
	}
	if s.extract == nil && s.key == nil && s.value == nil {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	return s, nil
}

// Warm looks the schemas up ahead, without waiting for them, so that the first records need not, and tells early if there is none.
func (s *Serializer) Warm() {
	if s == nil {
		return
	}
	for _, p := range []*part{s.key, s.value} {
		if p == nil || !p.usesRegistry() {
			continue
		}
		r := p.registry
		r.spawn(func() {
			if _, err := p.current(r.byID.ctx); err != nil && r.byID.ctx.Err() == nil {
				r.forgive(&p.selector)
				r.log.Warn("the schema of a topic could not be looked up; its records are refused until it can be", "topic", s.topic, "part", p.name, "code", err.Code, "error", err.Message)
			}
		})
	}
}

// Serialize writes the keys and values of the records of the topic that are not Done, and ends those that do not fit.
func (s *Serializer) Serialize(b *record.Batch) {
	if b.Verbatim {
		return
	}
	buf, ok := s.buffers.Get().(*buffer)
	if !ok {
		buf = &buffer{}
	}
	defer s.buffers.Put(buf)
	w := writer{batch: b, buf: buf}
	w.key.part, w.value.part = s.key, s.value
	for i := range b.Records {
		r := &b.Records[i]
		if r.Topic != s.topic || r.Done() {
			continue
		}
		if err := s.record(&w, r); err != nil {
			b.Fail(i, err)
		}
	}
}

func (s *Serializer) record(w *writer, r *record.Record) *record.Error {
	if s.extract != nil {
		if err := s.extract.extract(w.batch, r); err != nil {
			return err
		}
	}
	key, err := w.write(&w.key, r.Key)
	if err != nil {
		return err
	}
	value, err := w.write(&w.value, r.Value)
	if err != nil {
		return err
	}
	r.Key, r.Value = key, value
	return nil
}

// writer is the work on one batch.
type writer struct {
	batch      *record.Batch
	buf        *buffer
	key, value chosen
}

// chosen is a part with the schema that this batch is written with: all records of a batch have the same.
type chosen struct {
	part   *part
	asked  bool
	schema *Selection
	err    *record.Error
}

// write returns what is written of p, which is nil for null.
func (w *writer) write(c *chosen, p []byte) ([]byte, *record.Error) {
	if c.part == nil || p == nil {
		return p, nil
	}
	if !c.asked {
		c.asked = true
		c.schema, c.err = c.part.current(context.Background()) // bounded by the timeouts of the registry
	}
	if c.err != nil && c.part.format != Framed {
		c.part.count(c.err)
		return nil, c.err
	}
	if c.part.format == Framed {
		return p, c.part.checkFrame(p, c)
	}
	out, same, err := c.part.write(w.buf.b[:0], p, c.schema)
	if err != nil || same {
		return p, err
	}
	w.buf.b = out
	return w.batch.Copy(out), nil
}
