package ingest

import "sluice/gateway/record"

// shared is what all records of one batch have in common: key and headers that the request gave for each of them. They
// are copied once per batch, and records point to the same bytes.
type shared struct {
	key     []byte
	headers []record.Header
	size    int // of key and headers
	ready   bool
}

// load copies key and headers into the batch's memory.
func (s *shared) load(p *params, b *record.Batch) (err *record.Error) {
	*s = shared{ready: true}
	if p.key.set {
		if s.key, err = p.key.into(b, "X-Kafka-Key-Base64"); err != nil {
			return err
		}
	}
	s.size = len(s.key)
	s.headers = b.NewHeaders(len(p.headers))
	for i := range p.headers {
		h := &p.headers[i]
		s.headers[i].Key = b.CopyString(h.name)
		if s.headers[i].Value, err = h.value.into(b, "X-Kafka-Header-…-Base64"); err != nil {
			return err
		}
		s.size += len(h.name) + len(s.headers[i].Value)
	}
	return nil
}

// apply gives a record what the request says of each.
func (s *shared) apply(p *params, rec *record.Record) {
	rec.Key, rec.Headers, rec.Timestamp = s.key, s.headers, p.timestamp
	if p.partition != record.NoPartition {
		rec.Partition, rec.Explicit = p.partition, true
	}
}

// size is how much memory key and headers take at most.
func (p *params) size() int {
	n := 0
	if p.key.set {
		n = p.key.size()
	}
	for i := range p.headers {
		n += len(p.headers[i].name) + p.headers[i].value.size()
	}
	return n
}
