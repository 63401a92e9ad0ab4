package metrics

// moduleDescs is the part of the table that is about modules.
var moduleDescs = [...]desc{ //nolint:gochecknoglobals // a table that is only read
	// Modules: a hook, and a version, in all topics together.
	{
		name: "sluice_module_calls_total", scope: ofHook, typ: counter, unit: "calls",
		help: "Calls of a hook: one for a batch, and more where records on which the hook fails are looked for.",
	},
	{
		name: "sluice_module_records_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records of the batches with which a hook was called, for on_ack their acknowledgements.",
	},
	{
		name: "sluice_module_records_changed_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records that a hook changed, and neither dropped nor routed.",
	},
	{
		name: "sluice_module_records_dropped_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records that a hook dropped.",
	},
	{
		name: "sluice_module_records_routed_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records that a hook routed to another topic.",
	},
	{
		name: "sluice_module_record_errors_total", scope: ofHook, typ: counter, unit: "records", labels: []string{"reason"},
		help: "Records that a hook failed, failed on, or could not see (breaker_open, no_instance), by reason.",
	},
	{
		name: "sluice_module_call_duration_seconds", scope: ofHook, typ: histogram, unit: "seconds",
		help: "Wall-clock time of calls of a hook.",
	},
	{
		name: "sluice_module_call_fuel", scope: ofHook, typ: histogram, unit: "units of fuel",
		help: "Fuel that calls of a hook used: work by the count of instructions, the same on every machine.",
	},
	{
		name: "sluice_module_memory_bytes", scope: ofVersion, typ: gauge, unit: "bytes",
		help: "Linear memory of the instances.",
	},
	{
		name: "sluice_module_instances", scope: ofVersion, typ: gauge, unit: "instances", labels: []string{"state"},
		help: "Instances: live is all of them, idle those of them that are not in a call.",
	},
	{
		name: "sluice_module_instances_discarded_total", scope: ofVersion, typ: counter, unit: "instances",
		help: "Instances that were thrown away because a call failed.",
	},
	{
		name: "sluice_module_instances_recycled_total", scope: ofVersion, typ: counter, unit: "instances",
		help: "Instances that were replaced because they were old or their memory had grown.",
	},
	{
		name: "sluice_module_instance_starts_failed_total", scope: ofVersion, typ: counter, unit: "instances",
		help: "Instances that could not be made.",
	},
	{
		name: "sluice_module_instance_wait_seconds", scope: ofVersion, typ: histogram, unit: "seconds",
		help: "Time that batches waited for an instance. Those that found one idle are not counted.",
	},
	{
		name: "sluice_module_log_lines_dropped_total", scope: ofVersion, typ: counter, unit: "lines",
		help: "Lines of a module's log beyond wasm.log.lines.per.second.",
	},
	{
		name: "sluice_module_counter_total", scope: ofVersion, typ: counter, unit: "what the module counts", labels: []string{"name"},
		help: "Counters that a module made itself. A module may add a negative number, which rate() takes for a restart.",
	},
	{
		name: "sluice_module_counters_refused_total", scope: ofVersion, typ: counter, unit: "calls",
		help: "How often a module named a counter that is not allowed, or one beyond wasm.counters.max.",
	},
	{
		name: "sluice_module_breaker_state", scope: ofVersion, typ: gauge, unit: "0, 1 or 2", labels: []string{"topic"},
		help: "State of the circuit breaker: 0 closed, 1 half-open, 2 open; the worst of the table's topics.",
	},
	{
		name: "sluice_module_version_info", scope: ofVersion, typ: gauge, unit: "1", labels: []string{"role"},
		help: "Always 1; the role of a version that serves is active, canary or shadow.",
	},

	// Modules as topics use them.
	{
		name: "sluice_module_shadow_compared_total", scope: ofBinding, typ: counter, unit: "records", value: sum(compared),
		help: "Records that a shadow saw too.",
	},
	{
		name: "sluice_module_shadow_differed_total", scope: ofBinding, typ: counter, unit: "records", value: sum(differed),
		help: "Records of which a shadow made something else than the active version.",
	},
	{
		name: "sluice_module_dead_lettered_total", scope: ofBinding, typ: counter, unit: "records", value: sum(deadLettered),
		help: "Records that went to the dead-letter topic because the module failed.",
	},
}
