package admin

import "sluice/wasmhost"

// Stats is what all guests of a version did since the gateway started.
type Stats struct {
	Instances Instances            `json:"instances"`
	Memory    int64                `json:"memory_bytes"` // linear memory of all instances
	Hooks     map[string]HookStats `json:"hooks"`        // by name; those that were called
	Counters  map[string]int64     `json:"counters,omitempty"`
	Refused   int64                `json:"counters_refused,omitempty"` // for wasm.counters.max, or for their names
	Dropped   int64                `json:"log_lines_dropped,omitempty"`
}

// Instances counts instances.
type Instances struct {
	Live      int64 `json:"live"`
	Idle      int64 `json:"idle"`
	Discarded int64 `json:"discarded"` // because they failed
	Recycled  int64 `json:"recycled"`  // because they were old or had grown
	NotMade   int64 `json:"not_made"`  // because that failed
}

// HookStats is what one hook did.
type HookStats struct {
	Calls   int64            `json:"calls"`
	Records int64            `json:"records"`
	Changed int64            `json:"changed"`
	Dropped int64            `json:"dropped"`
	Routed  int64            `json:"routed"`
	Errors  map[string]int64 `json:"errors"` // records by cause
	Fuel    int64            `json:"fuel"`
	Micros  int64            `json:"micros"` // that all calls took together
}

func statsOf(from *wasmhost.Stats) *Stats {
	s := &Stats{
		Instances: Instances{
			Live: from.Live.Load(), Idle: from.Idle.Load(), Discarded: from.Discarded.Load(), Recycled: from.Recycled.Load(),
			NotMade: from.BuildFailed.Load(),
		},
		Memory: from.Memory.Load(), Hooks: make(map[string]HookStats), Counters: from.Counters(), Refused: from.CountersRefused(),
		Dropped: from.LinesDropped.Load(),
	}
	for hook := range wasmhost.NumHooks {
		h := &from.Hooks[hook]
		shown := HookStats{
			Calls: h.Calls.Load(), Records: h.Records.Load(), Changed: h.Changed.Load(), Dropped: h.Dropped.Load(), Routed: h.Routed.Load(),
			Errors: make(map[string]int64), Fuel: h.Fuel.Sum.Load(), Micros: h.Latency.Sum.Load() / 1000,
		}
		for cause := range wasmhost.NumCauses {
			if n := h.Errors[cause].Load(); n > 0 {
				shown.Errors[cause.String()] = n
			}
		}
		if shown.Calls > 0 || len(shown.Errors) > 0 {
			s.Hooks[hook.String()] = shown
		}
	}
	return s
}
