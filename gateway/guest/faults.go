package guest

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"sluice/gateway/registry"
	"sluice/wasmhost"
)

const (
	maxFaults  = 16               // distinct ones that are kept
	faultEvery = 10 * time.Second // how often the same one is logged
)

// Fault is a way in which guests of a module failed.
type Fault struct {
	Hook    string    `json:"hook"`
	Cause   string    `json:"cause"`
	Text    string    `json:"text"`
	Stack   string    `json:"stack,omitempty"`
	Topic   string    `json:"topic"`
	Version string    `json:"version"`
	Count   int64     `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`

	logged time.Time
	untold int64
}

// faults keeps the last distinct faults of a module, the newest first.
type faults struct {
	mu  sync.Mutex
	all []*Fault
}

// add counts a fault and logs it, unless the same one was logged a moment ago.
func (f *faults) add(log *slog.Logger, b *Bound, n Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	i := slices.IndexFunc(f.all, func(o *Fault) bool {
		return o.Hook == n.Hook && o.Cause == n.Cause && o.Text == n.Text && o.Topic == n.Topic && o.Version == n.Version
	})
	o := &n
	if i < 0 {
		o.First = now
		f.all = append([]*Fault{o}, f.all[:min(len(f.all), maxFaults-1)]...)
	} else {
		o = f.all[i]
	}
	o.Count++
	o.Last = now
	o.untold++
	if now.Sub(o.logged) < faultEvery {
		return
	}
	log.Warn("a guest failed", "module", b.Binding.Module, "version", registry.Short(o.Version), "topic", o.Topic, "hook", o.Hook, "cause", o.Cause,
		"times", o.untold, "error", o.Text)
	o.logged, o.untold = now, 0
}

// refusedInVain notes that a module refused a record which goes on all the same.
func (m *Modules) refusedInVain(b *Bound, v version, from *wasmhost.Record) {
	hook := wasmhost.OnSend
	if b.Kind == Partitioner {
		hook = wasmhost.Partition
	}
	// The module's own words may be others for every record.
	const text = "it refused the record, which goes on as if the module were not there (on_error = \"continue\")"
	m.faultsOf(b.Binding.Module).add(m.Log, b, Fault{
		Hook: hook.String(), Cause: from.Cause.String(), Text: text, Topic: b.Topic, Version: v.guest.Module.ID,
	})
}

func (f *faults) snapshot() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]Fault, 0, len(f.all))
	for _, o := range f.all {
		all = append(all, *o)
	}
	return all
}
