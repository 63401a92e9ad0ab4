package guest

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"sluice/gateway/config"
	"sluice/gateway/record"
	"sluice/guest-sdk/abi"
	"sluice/wasmhost"
)

// Bound is a module as one topic uses it: as its partitioner, or as one of its interceptors.
type Bound struct {
	Stats Stats
	Use
	modules *Modules
	calls   calls
	notes   notes
	names   names
	dropped *record.Error // shared by all records that it drops
	current atomic.Pointer[rollout]
	broken  atomic.Pointer[record.Error] // why it cannot serve; nil if it does
}

// Use says what a module is bound to, and how.
type Use struct {
	Binding config.Binding
	Topic   string
	Kind    Kind
	Place   int // among the interceptors of the topic, from 0
}

// Kind is what a module is bound as.
type Kind string

// The kinds.
const (
	Partitioner Kind = "partitioner"
	Interceptor Kind = "interceptor"
)

// Stats counts what a binding did beside what its guests count.
type Stats struct {
	Compared, Differed atomic.Int64 // records that a shadow saw, and made something else of
	DeadLettered       atomic.Int64
}

// Name is the module's; of one that is bound by its path, the last part of that: senders and readers see it.
func (u *Use) Name() string {
	if u.Binding.Path {
		return strings.TrimSuffix(filepath.Base(u.Binding.Module), ".wasm")
	}
	return u.Binding.Module
}

// Broken is why the binding cannot serve, which refuses the records of its topic; nil if it can.
func (m *Bound) Broken() *record.Error { return m.broken.Load() }

// use returns the rollout in use, which the caller gives back with done; nil after Close.
func (m *Bound) use() *rollout {
	for {
		if r := m.current.Load(); r == nil || r.use() {
			return r
		}
	}
}

// OnSend implements gateway.Interceptor.
func (m *Bound) OnSend(b *record.Batch) {
	mine := func(i int) bool { return !b.Records[i].Done() }
	r := m.use()
	if r == nil {
		m.refuse(b, mine)
		return
	}
	defer r.done()
	var n *note
	var more []extra
	m.each(b, r, mine, 0, func(v version, c *call) {
		if n == nil { // not before: a batch without a record left may be with OnAck already
			n = m.note(b, r)
		}
		n.keep(v, c) // first: if all records end here, OnAck begins
		for k := range c.Records {
			m.apply(b, int(c.index[k]), &c.Records[k], v)
		}
		more = extras(more, c)
	})
	if len(more) > 0 {
		m.fanOut(b, more)
	}
}

// Partition implements gateway.Partitioner.
func (m *Bound) Partition(b *record.Batch, p *record.Partitions) {
	mine := func(i int) bool {
		rec := &b.Records[i]
		return rec.Topic == p.Topic && !rec.Done() && !rec.Explicit && rec.Partition == record.NoPartition
	}
	r := m.use()
	if r == nil {
		m.refuse(b, mine)
		return
	}
	defer r.done()
	m.each(b, r, mine, p.Count, func(v version, c *call) {
		for k := range c.Records {
			m.choose(b, int(c.index[k]), &c.Records[k], v)
		}
	})
}

// each makes one call for every version of r that sees records of b for which mine holds, and then has what came of it taken
// over. Whatever reads the records does so before the last are taken over, which may end the batch and free them.
func (m *Bound) each(b *record.Batch, r *rollout, mine func(i int) bool, partitions int32, take func(version, *call)) {
	active, canary := m.calls.take(b), (*call)(nil)
	for i := range b.Records {
		if !mine(i) {
			continue
		}
		to := active
		if r.canary > 0 && r.picks(&b.Records[i]) {
			if canary == nil {
				canary = m.calls.take(b)
			}
			to = canary
		}
		to.add(i, &b.Records[i], partitions)
	}
	var shadow *call
	if r.shadow && len(active.Records) > 0 {
		shadow = m.copyOf(b, active)
	}
	if len(active.Records) > 0 {
		m.run(r.active, active)
	}
	if shadow != nil {
		m.compare(r, active, shadow)
		m.calls.put(shadow)
	}
	if len(active.Records) > 0 {
		take(version{r.active, false}, active)
	}
	m.calls.put(active)
	if canary != nil {
		m.run(r.candidate, canary)
		r.judge(canary.Records)
		take(version{r.candidate, true}, canary)
		m.calls.put(canary)
	}
}

// run shows the records of c to g.
func (m *Bound) run(g *wasmhost.Guest, c *call) {
	switch k := g.Module.Kinds; {
	case m.Kind == Partitioner:
		g.Partition(&c.Batch)
	case k.OnSend || k.Transform: // else it only has on_ack
		g.OnSend(&c.Batch)
	}
}

// refuse ends the records that would go on unseen because the binding was given up, unless that is allowed.
func (m *Bound) refuse(b *record.Batch, mine func(i int) bool) {
	if m.Binding.OnError == "continue" {
		return
	}
	for i := range b.Records {
		if mine(i) {
			b.Fail(i, record.Errorf(record.NotAvailable, "%s %q was given up before it saw the record, and its on_error is %q", m.Kind, m.Name(), m.Binding.OnError))
		}
	}
}

// apply takes over what an interceptor made of record i, by the policy of the binding.
func (m *Bound) apply(b *record.Batch, i int, from *wasmhost.Record, v version) {
	if from.Verdict == wasmhost.Passed && from.Changed&abi.FlagTimestamp != 0 && from.Timestamp > maxTimestamp {
		from.Verdict, from.Cause = wasmhost.Failed, wasmhost.BadOutput
		from.Reason = fmt.Sprintf("timestamp %d is more than %d (year 2262)", from.Timestamp, maxTimestamp)
	}
	if from.Verdict != wasmhost.Passed {
		m.failed(b, i, from, v)
		return
	}
	if from.Changed == 0 {
		return
	}
	if from.Dropped() {
		b.Fail(i, m.dropped)
		return
	}
	r := &b.Records[i]
	if from.Changed&abi.FlagKey != 0 {
		r.Key = from.Key
	}
	if from.Changed&abi.FlagValue != 0 {
		r.Value = from.Value
	}
	if from.Changed&abi.FlagHeaders != 0 {
		r.Headers = recordHeaders(b, from.Headers)
	}
	if from.Changed&abi.FlagTimestamp != 0 {
		r.Timestamp = from.Timestamp
	}
	if from.Changed&abi.FlagRoute != 0 {
		route(r, m.names.of(from.Route))
	}
}

// maxTimestamp is the largest that the Kafka client can hold, as for senders: milliseconds whose nanoseconds fit 64 bits.
const maxTimestamp = math.MaxInt64 / int64(time.Millisecond)

// route sends r to another topic. A partition that its sender chose was one of the former topic.
func route(r *record.Record, topic string) {
	if topic == r.Topic {
		return
	}
	r.Topic = topic
	r.Partition, r.Explicit = record.NoPartition, false
}

// names keeps the topics that a guest routes to: a topic's name lives longer than the memory of a batch.
type names struct {
	known sync.Map
	count atomic.Int32
}

// of is name as a string, without allocating once it is known.
func (n *names) of(name []byte) string {
	if s, ok := n.known.Load(unsafe.String(unsafe.SliceData(name), len(name))); ok {
		return s.(string) //nolint:forcetypeassert // nothing else is stored
	}
	s := string(name)
	if n.count.Add(1) <= maxNames {
		n.known.Store(s, s)
	}
	return s
}

// maxNames is how many are kept: a guest may make up any name that its routes allow.
const maxNames = 256

// choose takes over the partition that a partitioner chose for record i.
func (m *Bound) choose(b *record.Batch, i int, from *wasmhost.Record, v version) {
	if from.Verdict == wasmhost.Passed {
		b.Records[i].Partition = from.Partition
		return
	}
	m.failed(b, i, from, v)
}

// failed does what the binding says about a record that a guest failed, failed on, or could not see.
func (m *Bound) failed(b *record.Batch, i int, from *wasmhost.Record, v version) {
	if m.Binding.OnError == "continue" {
		if from.Cause == wasmhost.RecordError { // no call failed, so nobody else tells
			m.modules.refusedInVain(m, v, from)
		}
		return
	}
	switch {
	case from.Verdict == wasmhost.Bypassed:
		state, left := v.guest.Breaker()
		e := record.Errorf(record.NotAvailable, "%s %q could not see the record, and its on_error is %q: %s", m.Kind, m.Name(), m.Binding.OnError, from.Reason)
		if state != wasmhost.BreakerClosed {
			e.RetryAfter = left
		}
		b.Fail(i, e)
	case m.Binding.OnError == "dlq":
		m.Stats.DeadLettered.Add(1)
		e := record.Errorf(record.Rejected, "%s %q failed on the record (%s): %s", m.Kind, m.Name(), from.Cause, from.Reason)
		e.Module = m.Name() // the topic's dead letters look for it
		b.Fail(i, e)
	default:
		b.Fail(i, record.Errorf(record.Rejected, "%s %q refused the record (%s): %s", m.Kind, m.Name(), from.Cause, from.Reason))
	}
}
