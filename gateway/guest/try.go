package guest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sluice/gateway/record"
	"sluice/wasmhost"
)

// Trial says how a module is tried.
type Trial struct {
	Topic      string
	Partitions int32
	Config     json.RawMessage
	Routes     []string      // topics and globs that it may route to; nil allows every topic
	Hook       wasmhost.Hook // it is to run
	Now        int64         // what guests are told is the time, in Unix milliseconds; 0 is the time it is
	LogLines   int           // that are kept
}

// Result is what a guest made of records.
type Result struct {
	Records      []wasmhost.Record
	FuelOf       []int64 // of each record, when it is alone in a call; 0 if the guest was not asked
	Calls        int64
	Fuel         int64 // of all calls
	Memory       int64 // bytes that an instance had at most after a call
	Took         time.Duration
	Log          []wasmhost.Line // newest first
	LinesDropped int64           // for log.lines.per.second
	Counters     map[string]int64
}

// Try runs a version on records, under the limits and the code of production. Nothing is sent, and nobody else's guest is
// touched. The records are changed.
func (m *Modules) Try(ctx context.Context, name string, wasm []byte, t Trial, records []wasmhost.Record) (Result, error) {
	module, err := m.Host.Compile(ctx, wasm)
	if err != nil {
		return Result{}, err
	}
	defer module.Release()
	t.LogLines = m.Wasm.LogLines
	return TryModule(ctx, module, name, t, records)
}

// TryModule is Try for a module that is compiled. It ends early when ctx does.
func TryModule(ctx context.Context, module *wasmhost.Module, name string, t Trial, records []wasmhost.Record) (Result, error) {
	if err := runs(module, t.Hook); err != nil {
		return Result{}, err
	}
	alone := slices.Clone(records)
	g, err := NewTester(module, name, t)
	if err != nil {
		return Result{Log: g.log.Lines()}, err
	}
	defer g.Close()
	start := time.Now()
	for part := range slices.Chunk(records, record.MaxBatchRecords) {
		if err := g.Run(ctx, part); err != nil {
			return Result{Log: g.log.Lines()}, err
		}
	}
	s := &g.stats.Hooks[t.Hook]
	r := Result{
		Records: records, Calls: s.Calls.Load(), Fuel: s.Fuel.Sum.Load(), Took: time.Since(start),
		Log: g.log.Lines(), LinesDropped: g.stats.LinesDropped.Load(), Counters: g.stats.Counters(),
	}
	r.Memory = g.memory
	if err := r.measure(ctx, module, name, t, alone); err != nil {
		return Result{Log: r.Log}, err
	}
	return r, nil
}

// runs says whether the module has the hook.
func runs(module *wasmhost.Module, hook wasmhost.Hook) error {
	k := module.Kinds
	if hook == wasmhost.Partition && k.Partition || hook == wasmhost.OnSend && (k.OnSend || k.Transform) || hook == wasmhost.OnAck && k.OnAck {
		return nil
	}
	return &HookError{Hook: hook, Has: Hooks(k)}
}

// HookError says that a module does not have the hook that it was to be tried with.
type HookError struct {
	Hook wasmhost.Hook
	Has  []wasmhost.Hook
}

func (e *HookError) Error() string {
	return fmt.Sprintf("hook %q: the module does not export it; it has %v", e.Hook, e.Has)
}

// Hooks are what a module can be tried with, in the order in which a record meets them.
func Hooks(k wasmhost.Kinds) []wasmhost.Hook {
	var all []wasmhost.Hook
	if k.OnSend || k.Transform {
		all = append(all, wasmhost.OnSend)
	}
	if k.Partition {
		all = append(all, wasmhost.Partition)
	}
	if k.OnAck {
		all = append(all, wasmhost.OnAck)
	}
	return all
}

// measure finds out what each record costs, on a guest of its own so that nothing else is disturbed.
func (r *Result) measure(ctx context.Context, module *wasmhost.Module, name string, t Trial, records []wasmhost.Record) error {
	t.LogLines = 1
	g, err := NewTester(module, name, t)
	if err != nil {
		return err
	}
	defer g.Close()
	s := &g.stats.Hooks[t.Hook]
	r.FuelOf = make([]int64, len(records))
	for i := range records {
		calls, sum := s.Calls.Load(), s.Fuel.Sum.Load()
		if err := g.Run(ctx, records[i:i+1]); err != nil {
			return err
		}
		if n := s.Calls.Load() - calls; n > 0 {
			r.FuelOf[i] = (s.Fuel.Sum.Load() - sum) / n
		}
	}
	r.Memory = max(r.Memory, g.memory)
	return nil
}

// Tester runs records through a guest of its own. A breaker that opens does not keep it from going on.
type Tester struct {
	module   *wasmhost.Module
	settings wasmhost.Settings
	trial    Trial
	guest    *wasmhost.Guest
	stats    *wasmhost.Stats
	log      *wasmhost.Log
	memory   int64                        // bytes that it had at most after a call
	failed   func(wasmhost.Cause, string) // is told of failed calls, if not nil
}

// NewTester starts a guest. If it does not start the Tester has only what it logged.
func NewTester(module *wasmhost.Module, name string, t Trial) (*Tester, error) {
	g := &Tester{module: module, trial: t, log: wasmhost.NewLog(t.LogLines)}
	g.settings = wasmhost.Settings{
		Topic: t.Topic, Name: name, Version: module.ID, Config: t.Config, Instances: 1, Log: g.log, Routes: t.Routes,
		RouteAllowed: func(topic []byte) bool { return t.Routes == nil || allowed(t.Routes, string(topic)) },
		Failed: func(_ string, cause wasmhost.Cause, text, _ string) {
			if g.failed != nil {
				g.failed(cause, text)
			}
		},
	}
	var err error
	if g.guest, err = module.Configure(g.settings); err != nil {
		return g, &NotFitError{Topic: t.Topic, Err: err}
	}
	g.stats = g.guest.Stats
	g.settings.Stats = g.stats
	return g, nil
}

// Close ends the guest.
func (g *Tester) Close() { g.guest.Close() }

// Run takes records through the hook in one call, as a batch does in production. A partitioner is not asked for records that
// have a partition. Records that the guest would not see because others made it fail too often, it sees alone.
func (g *Tester) Run(ctx context.Context, records []wasmhost.Record) error {
	before := slices.Clone(records)
	if err := g.call(ctx, records); err != nil {
		return err
	}
	for i := range records {
		if records[i].Verdict != wasmhost.Bypassed {
			continue
		}
		if err := g.renew(); err != nil {
			return err
		}
		records[i] = before[i]
		if err := g.call(ctx, records[i:i+1]); err != nil {
			return err
		}
	}
	if state, _ := g.guest.Breaker(); state != wasmhost.BreakerClosed {
		return g.renew()
	}
	return nil
}

// renew takes a new guest, which has done nothing wrong yet.
func (g *Tester) renew() error {
	next, err := g.module.Configure(g.settings)
	if err != nil {
		return &NotFitError{Topic: g.trial.Topic, Err: err}
	}
	g.guest.Close()
	g.guest = next
	return nil
}

func (g *Tester) call(ctx context.Context, records []wasmhost.Record) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b := &wasmhost.Batch{
		Now: g.trial.Now, Records: records, Topics: []wasmhost.Topic{{Name: g.trial.Topic, Partitions: g.trial.Partitions}},
		Alloc:   func(n int) []byte { return make([]byte, n) },
		Headers: func(n int) []wasmhost.Header { return make([]wasmhost.Header, n) },
	}
	if b.Now == 0 {
		b.Now = time.Now().UnixMilli()
	}
	switch g.trial.Hook {
	case wasmhost.Partition:
		g.partition(b)
	case wasmhost.OnAck:
		g.onAck(records, b.Now)
	default:
		g.guest.OnSend(b)
	}
	g.memory = max(g.memory, g.stats.Memory.Load())
	return nil
}

func (g *Tester) partition(b *wasmhost.Batch) {
	all := b.Records
	b.Records = nil
	var asked []int
	for i := range all {
		if all[i].Partition < 0 {
			asked = append(asked, i)
			b.Records = append(b.Records, all[i])
		}
	}
	g.guest.Partition(b)
	for k, i := range asked {
		all[i] = b.Records[k]
	}
}

// onAck tells the guest that all records were stored. If it fails on that, they all have its failure.
func (g *Tester) onAck(records []wasmhost.Record, now int64) {
	g.failed = func(cause wasmhost.Cause, reason string) {
		for i := range records {
			records[i].Verdict, records[i].Cause, records[i].Reason = wasmhost.Failed, cause, reason
		}
	}
	g.guest.OnAck(stored(records, g.trial, now), now)
	g.failed = nil
}

// stored is the acknowledgements of records that went well.
func stored(records []wasmhost.Record, t Trial, now int64) []wasmhost.Ack {
	acks := make([]wasmhost.Ack, len(records))
	for i := range records {
		r := &records[i]
		acks[i] = wasmhost.Ack{
			Topic: t.Topic, Partition: max(r.Partition, 0), Offset: int64(i), Timestamp: max(r.Timestamp, 0), KeySize: size(r.Key), ValueSize: size(r.Value),
		}
		if r.Timestamp < 0 {
			acks[i].Timestamp = now
		}
	}
	return acks
}

// size is the size of a key or a value as on_ack is told it.
func size(b []byte) int32 {
	if b == nil {
		return -1
	}
	return int32(len(b))
}
