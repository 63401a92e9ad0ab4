package guest

import (
	"slices"

	"sluice/gateway/record"
	"sluice/guest-sdk/abi"
	"sluice/wasmhost"
)

// extra is a record that a guest made beside what it made of record of a batch.
type extra struct {
	of    int
	topic string // that record's, before it was routed
	wasmhost.Record
}

// extras collects what c has of them.
func extras(all []extra, c *call) []extra {
	for i := range c.Extra {
		x := c.Extra[i]
		x.Headers = slices.Clone(x.Headers) // the memory of a call is used again
		all = append(all, extra{of: int(c.index[x.Of]), topic: c.Topics[x.Topic].Name, Record: x.Record})
	}
	return all
}

// fanOut lets records of which a guest made several go on in a batch of their own, and all behind them with them, so that
// their order stays.
func (m *Bound) fanOut(b *record.Batch, all []extra) {
	slices.SortStableFunc(all, func(x, y extra) int { return x.of - y.of })
	for i := all[0].of; i < len(b.Records); i++ {
		if b.Records[i].Done() {
			for len(all) > 0 && all[0].of == i {
				all = all[1:]
			}
			continue
		}
		m.standIn(b, i, b.Records[i])
		for ; len(all) > 0 && all[0].of == i; all = all[1:] {
			x, r := &all[0], b.Records[i]
			r.Topic, r.Partition, r.Explicit = x.topic, x.Partition, x.Partition != record.NoPartition
			r.Key, r.Value, r.Headers = x.Key, x.Value, recordHeaders(b, x.Headers)
			if x.Changed&abi.FlagRoute != 0 {
				route(&r, m.names.of(x.Route))
			}
			m.standIn(b, i, r)
		}
	}
}

// standIn adds a copy of r, in memory that is charged with its batch.
func (m *Bound) standIn(b *record.Batch, i int, r record.Record) {
	to := b.StandIn(i)
	mem := b.Branch()
	to.Topic, to.Partition, to.Explicit, to.Timestamp = r.Topic, r.Partition, r.Explicit, r.Timestamp
	to.Key, to.Value = copyOf(mem, r.Key), copyOf(mem, r.Value)
	to.Headers = mem.NewHeaders(len(r.Headers))
	for k := range r.Headers {
		to.Headers[k] = record.Header{Key: mem.CopyString([]byte(r.Headers[k].Key)), Value: copyOf(mem, r.Headers[k].Value)}
	}
}

func copyOf(mem *record.Batch, p []byte) []byte {
	if p == nil {
		return nil
	}
	return mem.Copy(p)
}
