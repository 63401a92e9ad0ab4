package gateway

import (
	"sluice/gateway/guest"
	"sluice/gateway/metrics"
	"sluice/gateway/registry"
	"sluice/wasmhost"
)

// It does not compile if the two histograms differ in size.
var _ = [1]struct{}{}[wasmhost.HistogramBuckets-metrics.DistributionBuckets]

// modulesSnapshot is what the metrics show of the modules now.
func (g *Gateway) modulesSnapshot() metrics.Modules {
	m := metrics.Modules{Short: registry.Short, CandidatesEnded: g.modules.CandidatesEnded.Load()}
	g.modules.EachStats(func(r guest.Ref, st *wasmhost.Stats) { m.Versions = append(m.Versions, versionSnapshot(r, st)) })
	g.topics.Load().each(func(e *topicEntry) {
		for _, b := range e.bounds {
			for _, s := range b.Serving() {
				m.Serving = append(m.Serving, metrics.Serving{
					Module: b.Binding.Module, Version: s.Version, Table: e.cfg.Table, Role: s.Role, Breaker: breakerState(s.Breaker),
				})
			}
		}
	})
	return m
}

func versionSnapshot(r guest.Ref, st *wasmhost.Stats) metrics.ModuleVersion {
	v := metrics.ModuleVersion{
		Module: r.Module, Version: r.Version,
		Live: st.Live.Load(), Idle: st.Idle.Load(), Memory: st.Memory.Load(), Discarded: st.Discarded.Load(),
		Recycled: st.Recycled.Load(), StartsFailed: st.BuildFailed.Load(), Waits: distribution(&st.Waits),
		LinesDropped: st.LinesDropped.Load(), Counters: st.Counters(), CountersRefused: st.CountersRefused(),
	}
	for i := range st.Hooks {
		v.Hooks = append(v.Hooks, hookSnapshot(wasmhost.Hook(i), &st.Hooks[i]))
	}
	return v
}

func hookSnapshot(hook wasmhost.Hook, st *wasmhost.HookStats) metrics.ModuleHook {
	h := metrics.ModuleHook{
		Name: hook.String(), Calls: st.Calls.Load(), Records: st.Records.Load(),
		Changed: st.Changed.Load(), Dropped: st.Dropped.Load(), Routed: st.Routed.Load(),
		Errors: make(map[string]int64), Latency: distribution(&st.Latency), Fuel: distribution(&st.Fuel),
	}
	for c := range st.Errors {
		if n := st.Errors[c].Load(); n > 0 {
			h.Errors[wasmhost.Cause(c).String()] = n
		}
	}
	return h
}

func distribution(h *wasmhost.Histogram) metrics.Distribution {
	d := metrics.Distribution{Sum: h.Sum.Load()}
	for i := range h.Buckets {
		d.Buckets[i] = h.Buckets[i].Load()
	}
	return d
}

// breakerState is a state, which the guests' side gives by its name, as the metrics number it.
func breakerState(name string) metrics.Breaker {
	switch name {
	case wasmhost.BreakerIsOpen.String():
		return metrics.BreakerOpen
	case wasmhost.BreakerHalf.String():
		return metrics.BreakerHalfOpen
	default:
		return metrics.BreakerClosed
	}
}

// bindingSnapshots is what the bindings of a topic count themselves.
func bindingSnapshots(e *topicEntry) []metrics.Binding {
	all := make([]metrics.Binding, 0, len(e.bounds))
	for _, b := range e.bounds {
		all = append(all, metrics.Binding{
			Source: b, Module: b.Binding.Module, Table: e.cfg.Table,
			Compared: b.Stats.Compared.Load(), Differed: b.Stats.Differed.Load(), DeadLettered: b.Stats.DeadLettered.Load(),
		})
	}
	return all
}
