package metrics

import "time"

// restTime is how long a version is shown after it last served or did anything: every save of a module's source makes a
// version, and each is some hundred series.
const restTime = time.Hour

// moduleFigures shows the modules.
type moduleFigures struct {
	snapshot func() Modules
	seen     map[[2]string]lastSeen // by module and version
}

// lastSeen is what a version had done when it was last seen at work.
type lastSeen struct {
	activity int64
	at       time.Time
}

func (m *moduleFigures) collect(e *emitter, now time.Time) {
	if m.snapshot == nil {
		return
	}
	s := m.snapshot()
	names := newIDs(s.Versions, s.Short)
	serving := make(map[[2]string]bool, len(s.Serving))
	for _, v := range s.Serving {
		serving[[2]string{v.Module, v.Version}] = true
	}
	for i := range s.Versions {
		v := &s.Versions[i]
		if k := [2]string{v.Module, v.Version}; m.shown(k, v.activity(), serving[k] || v.Live > 0, now) {
			v.collect(e, names.label(v.Module, v.Version))
		}
	}
	collectServing(e, s.Serving, names)
	e.emit("sluice_module_candidates_ended_total", float64(s.CandidatesEnded))
}

// shown says whether a version serves, or did something within restTime.
func (m *moduleFigures) shown(k [2]string, activity int64, serves bool, now time.Time) bool {
	if m.seen == nil {
		m.seen = make(map[[2]string]lastSeen)
	}
	last := m.seen[k]
	if serves || activity != last.activity {
		m.seen[k] = lastSeen{activity, now}
		return true
	}
	return now.Sub(last.at) < restTime
}

func (v *ModuleVersion) collect(e *emitter, version string) {
	for i := range v.Hooks {
		if h := &v.Hooks[i]; h.used() {
			h.collect(e, v.Module, version)
		}
	}
	emit := func(name string, n int64) { e.emit(name, float64(n), v.Module, version) }
	emit("sluice_module_memory_bytes", v.Memory)
	emit("sluice_module_instances_discarded_total", v.Discarded)
	emit("sluice_module_instances_recycled_total", v.Recycled)
	emit("sluice_module_instance_starts_failed_total", v.StartsFailed)
	emit("sluice_module_log_lines_dropped_total", v.LinesDropped)
	emit("sluice_module_counters_refused_total", v.CountersRefused)
	e.emit("sluice_module_instances", float64(v.Live), v.Module, version, "live")
	e.emit("sluice_module_instances", float64(v.Idle), v.Module, version, "idle")
	e.distribution("sluice_module_instance_wait_seconds", waitTime, &v.Waits, v.Module, version)
	for name, n := range v.Counters {
		e.emit("sluice_module_counter_total", float64(n), v.Module, version, name)
	}
}

func (h *ModuleHook) collect(e *emitter, module, version string) {
	emit := func(name string, n int64) { e.emit(name, float64(n), module, version, h.Name) }
	emit("sluice_module_calls_total", h.Calls)
	emit("sluice_module_records_total", h.Records)
	emit("sluice_module_records_changed_total", h.Changed)
	emit("sluice_module_records_dropped_total", h.Dropped)
	emit("sluice_module_records_routed_total", h.Routed)
	for cause, n := range h.Errors {
		e.emit("sluice_module_record_errors_total", float64(n), module, version, h.Name, cause)
	}
	e.distribution("sluice_module_call_duration_seconds", callTime, &h.Latency, module, version, h.Name)
	e.distribution("sluice_module_call_fuel", callFuel, &h.Fuel, module, version, h.Name)
}

// collectServing shows the state of breakers, the worst where a table has several topics, and which version serves as what.
func collectServing(e *emitter, all []Serving, names ids) {
	breakers := make(map[[3]string]Breaker, len(all))
	roles := make(map[[3]string]bool, len(all))
	for _, s := range all {
		version := names.label(s.Module, s.Version)
		b := [3]string{s.Module, version, s.Table}
		breakers[b] = max(breakers[b], s.Breaker)
		roles[[3]string{s.Module, version, s.Role}] = true
	}
	for labels, state := range breakers {
		e.emit("sluice_module_breaker_state", float64(state), labels[:]...)
	}
	for labels := range roles {
		e.emit("sluice_module_version_info", 1, labels[:]...)
	}
}
