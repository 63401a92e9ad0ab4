package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sluice/gateway/registry"
	"sluice/wasmhost"
	"sluice/wasmhost/compile"
	"sluice/wasmhost/meter"
)

// Report is what an upload finds out about a module.
type Report struct {
	Module    string   `json:"module"`
	Version   string   `json:"version"`
	Size      int      `json:"size"`
	Known     bool     `json:"known"`  // these bytes were there already
	Active    bool     `json:"active"` // this version serves
	Pruned    []string `json:"pruned,omitempty"`
	Kinds     []string `json:"kinds"`
	Imports   []string `json:"imports"`
	Exports   []string `json:"exports"`
	Functions int      `json:"functions"`
	Memory    Memory   `json:"memory"`
	CompileMs float64  `json:"compile_ms"`
	Cached    bool     `json:"cached"` // machine code was there already
	DryRun    *DryRun  `json:"dry_run,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

// Memory is a module's linear memory, in bytes.
type Memory struct {
	Initial  int64 `json:"initial"`
	Max      int64 `json:"max"`                 // it may grow to
	AfterRun int64 `json:"after_run,omitempty"` // after the dry run
}

// DryRun is how a module did on made-up records.
type DryRun struct {
	InstantiateMs float64        `json:"instantiate_ms"`
	Records       int            `json:"records"`
	FuelPerRecord map[string]int `json:"fuel_per_record,omitempty"` // by hook
	Failures      []string       `json:"failures,omitempty"`
}

// RefusedError is why a module cannot be used, everything at once.
type RefusedError struct{ Problems []meter.Problem }

func (e *RefusedError) Error() string { return (&meter.Refused{Problems: e.Problems}).Error() }

// Upload checks, compiles and tries a module, and puts it into the registry. A module that is at fault gives a *RefusedError.
func (m *Modules) Upload(ctx context.Context, name string, wasm []byte, origin registry.Origin) (Report, error) {
	report, err := m.Examine(ctx, name, wasm)
	if err != nil {
		return report, err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return report, err
	}
	up, err := m.Registry.Put(name, wasm, text, origin)
	if err != nil {
		return report, err
	}
	report.Known, report.Active, report.Pruned = up.Known, up.Active, up.Pruned
	return report, nil
}

// Examine does what Upload does, and keeps nothing.
func (m *Modules) Examine(ctx context.Context, name string, wasm []byte) (Report, error) {
	module, err := m.Host.Compile(ctx, wasm)
	if refused, ok := errors.AsType[*meter.Refused](err); ok {
		return Report{}, &RefusedError{refused.Problems}
	}
	if limit, ok := errors.AsType[*compile.LimitError](err); ok {
		return Report{}, &RefusedError{[]meter.Problem{{Rule: meter.RuleLimit, Message: limit.Error(), Offset: -1}}}
	}
	if err != nil {
		return Report{}, err
	}
	defer module.Release()
	info := module.Info
	r := Report{
		Module: name, Version: module.ID, Size: len(wasm), Kinds: kindNames(module.Kinds), Functions: info.Functions,
		Memory:    Memory{Initial: int64(info.MemoryMinPages) << 16, Max: int64(info.MemoryMaxPages) << 16},
		CompileMs: ms(module.Took), Cached: module.Cached, Warnings: module.Warnings,
	}
	for _, i := range info.Imports {
		r.Imports = append(r.Imports, i.Module+"."+i.Name+": "+i.Type.String())
	}
	for _, e := range info.Exports {
		r.Exports = append(r.Exports, e.Name)
	}
	return r, m.dryRun(module, name, &r)
}

// ruleStart is the rule of a module that can be compiled but not started.
const ruleStart = "start"

// NoMemoryError says that a module could not be tried because the instances there are leave it no memory.
type NoMemoryError struct{ Err error }

func (e *NoMemoryError) Error() string { return "the module could not be tried: " + e.Err.Error() }

func (e *NoMemoryError) Unwrap() error { return e.Err }

// dryRun runs the hooks on a few made-up records, with the configuration of whoever is bound to the module already. A module
// that refuses its configuration may be given another one; one that fails otherwise would fail with any.
func (m *Modules) dryRun(module *wasmhost.Module, name string, r *Report) error {
	s := wasmhost.Settings{Topic: "dry-run", Name: name, Version: module.ID, Instances: 1, Log: wasmhost.NewLog(1)}
	s.RouteAllowed = func([]byte) bool { return true }
	if bound := m.boundTo(name); len(bound) > 0 {
		s.Topic, s.Config = bound[0].Topic, bound[0].Binding.Config
	}
	start := time.Now()
	g, err := module.Configure(s)
	if err != nil {
		return m.notStarted(module, s, err, r)
	}
	defer g.Close()
	d := &DryRun{InstantiateMs: ms(time.Since(start)), FuelPerRecord: map[string]int{}}
	r.DryRun = d
	d.run(g)
	r.Memory.AfterRun = g.Stats.Memory.Load()
	return nil
}

// notStarted says whether a module that did not start can be kept all the same.
func (m *Modules) notStarted(module *wasmhost.Module, s wasmhost.Settings, err error, r *Report) error {
	cause, ok := wasmhost.AsFailure(err)
	exits := module.Kinds.Transform && cause == wasmhost.Trap // that is how a transform refuses what it is configured with
	switch {
	case ok && cause == wasmhost.OutOfMemory && m.Host.Memory()+r.Memory.Initial > m.Host.Limits().MemoryTotal:
		return &NoMemoryError{err}
	case ok && cause != wasmhost.ReturnCode && !exits: // a return code only configure has, while it starts
		return &RefusedError{[]meter.Problem{{Rule: ruleStart, Message: "it does not start: " + err.Error(), Offset: -1}}}
	case len(s.Config) == 0:
		r.Warnings = append(r.Warnings, "it needs a configuration, and was not tried without one: "+err.Error())
	default:
		r.Warnings = append(r.Warnings, fmt.Sprintf("it was not tried, and cannot serve topic %q as that is configured: %v", s.Topic, err))
	}
	return nil
}

func (d *DryRun) run(g *wasmhost.Guest) {
	k := g.Module.Kinds
	if k.OnSend || k.Transform {
		d.hook(g, wasmhost.OnSend, g.OnSend)
	}
	if k.Partition {
		d.hook(g, wasmhost.Partition, g.Partition)
	}
	if k.OnAck {
		g.OnAck([]wasmhost.Ack{{Topic: "dry-run", Timestamp: time.Now().UnixMilli(), KeySize: -1, ValueSize: 2}}, time.Now().UnixMilli())
	}
}

func (d *DryRun) hook(g *wasmhost.Guest, hook wasmhost.Hook, run func(*wasmhost.Batch)) {
	b := samples()
	run(b)
	d.Records += len(b.Records)
	d.FuelPerRecord[hook.String()] = int(g.Stats.Hooks[hook].Fuel.Sum.Load()) / len(b.Records)
	for i := range b.Records {
		if r := &b.Records[i]; r.Verdict != wasmhost.Passed {
			d.Failures = append(d.Failures, fmt.Sprintf("%s, record %d: %s: %s", hook, i, r.Cause, r.Reason))
		}
	}
}

// samples are records of the kinds that modules should survive.
func samples() *wasmhost.Batch {
	return &wasmhost.Batch{
		DryRun: true, Now: time.Now().UnixMilli(),
		Alloc:   func(n int) []byte { return make([]byte, n) },
		Headers: func(n int) []wasmhost.Header { return make([]wasmhost.Header, n) },
		Topics:  []wasmhost.Topic{{Name: "dry-run", Partitions: 3}},
		Records: []wasmhost.Record{
			{Key: []byte("key"), Value: []byte(`{"a":1}`), Timestamp: -1, Partition: -1},
			{Value: []byte(`{"a":1}`), Headers: []wasmhost.Header{{Key: "h", Value: []byte("v")}, {Key: "null"}}, Timestamp: -1, Partition: -1},
			{Key: []byte{}, Value: []byte{}, Timestamp: 0, Partition: -1},
			{Key: []byte("tombstone"), Timestamp: -1, Partition: -1},
			{Key: []byte{0xff, 0x00}, Value: []byte{0xff, 0xfe}, Timestamp: -1, Partition: -1},
		},
	}
}

func kindNames(k wasmhost.Kinds) []string {
	var names []string
	if k.Partition {
		names = append(names, string(Partitioner))
	}
	if k.Interceptor() {
		names = append(names, string(Interceptor))
	}
	return names
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
