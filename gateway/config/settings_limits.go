package config

import "slices"

// wasmSettings are the keys of [wasm].
func wasmSettings() []Setting {
	return slices.Concat(wasmStores(), wasmModuleLimits(), wasmCallLimits(), wasmWatch())
}

// wasmRow is a numeric key of [wasm].
func wasmRow(name string, t Type, def, smallest, largest int64, doc string, into func(*Wasm) any) Setting {
	return Setting{
		Section: "wasm", Name: name, Type: t, Default: def, Min: smallest, Max: largest, Doc: doc, Support: Works,
		into: func(t target) any { return into(&t.c.Wasm) },
	}
}

// wasmStores says where modules and machine code are kept.
func wasmStores() []Setting {
	return []Setting{
		{
			Section: "wasm", Name: "registry.dir", Type: String, Default: "data/modules", Support: Works,
			Doc:  "Where uploaded modules and their versions are kept.",
			into: func(t target) any { return &t.c.Wasm.RegistryDir },
		},
		wasmRow("registry.versions.max", Int, 100, 3, 10000, "Versions that are kept of a module, those in force, before it and tried included.",
			func(w *Wasm) any { return &w.RegistryVersionsMax }),
		wasmRow("modules.max", Int, 1000, 1, 100000, "Modules in the registry.",
			func(w *Wasm) any { return &w.ModulesMax }),
		{
			Section: "wasm", Name: "cache.dir", Type: String, Default: "data/wasm-cache", Support: Works,
			Doc:  "Where machine code is kept, so that a second start compiles nothing; what is in it is run, so only the gateway may write there.",
			into: func(t target) any { return &t.c.Wasm.CacheDir },
		},
		wasmRow("cache.max.bytes", Bytes, 1<<30, 1<<20, 1<<40, "What cache.dir may hold; the machine code used longest ago goes first.",
			func(w *Wasm) any { return &w.CacheMaxBytes }),
	}
}

// wasmModuleLimits bound what an upload may be, and what compiling it may take.
func wasmModuleLimits() []Setting {
	return []Setting{
		wasmRow("module.max.bytes", Bytes, 10<<20, 1024, 64<<20, "The largest module.",
			func(w *Wasm) any { return &w.ModuleMaxBytes }),
		wasmRow("functions.max", Int, 50000, 1, 1000000, "Functions of a module.",
			func(w *Wasm) any { return &w.FunctionsMax }),
		wasmRow("function.max.bytes", Bytes, 1<<20, 1024, 64<<20, "The largest body of a function.",
			func(w *Wasm) any { return &w.FunctionMaxBytes }),
		wasmRow("function.max.locals", Int, 5000, 1, 50000, "Local variables of a function.",
			func(w *Wasm) any { return &w.FunctionMaxLocals }),
		wasmRow("types.max", Int, 10000, 1, 1000000, "Function types of a module.",
			func(w *Wasm) any { return &w.TypesMax }),
		wasmRow("globals.max", Int, 1000, 1, 1000000, "Global variables of a module.",
			func(w *Wasm) any { return &w.GlobalsMax }),
		wasmRow("table.max.elements", Int, 65536, 1, 10000000, "Elements of a table.",
			func(w *Wasm) any { return &w.TableMaxElements }),
		wasmRow("code.growth.max", Int, 3, 2, 100, "How many times its size a module's code may take with what counting instructions adds to it, and 64 KiB.",
			func(w *Wasm) any { return &w.CodeGrowthMax }),
		wasmRow("data.segments.max", Int, 100000, 1, 1000000, "Data segments of a module.",
			func(w *Wasm) any { return &w.DataSegmentsMax }),
		{
			Section: "wasm", Name: "compile.child", Type: Bool, Default: true, Support: Works,
			Doc:  "Compile in a child process with the limits below; false compiles in the gateway itself, without them.",
			into: func(t target) any { return &t.c.Wasm.CompileChild },
		},
		wasmRow("compile.cpu.ms", Millis, 30000, 1000, 3600000, "Processor time that compiling a module may take.",
			func(w *Wasm) any { return &w.CompileCPU }),
		wasmRow("compile.timeout.ms", Millis, 60000, 1000, 3600000, "How long compiling a module may take by the clock.",
			func(w *Wasm) any { return &w.CompileTimeout }),
		wasmRow("compile.memory.bytes", Bytes, 2<<30, 256<<20, 1<<40, "Memory that compiling a module may take.",
			func(w *Wasm) any { return &w.CompileMemoryBytes }),
	}
}

// maxFuel is so much that a call may run for minutes; it leaves room to add and multiply.
const maxFuel = 1_000_000_000_000

// wasmCallLimits bound instances and calls.
func wasmCallLimits() []Setting {
	return []Setting{
		wasmRow("memory.max.bytes", Bytes, 64<<20, 65536, 256<<20, "Linear memory of one instance, in whole pages of 65536 bytes.",
			func(w *Wasm) any { return &w.MemoryMaxBytes }),
		wasmRow("memory.total.bytes", Bytes, 512<<20, 65536, 1<<40, "Linear memory of all instances together; at least memory.max.bytes.",
			func(w *Wasm) any { return &w.MemoryTotalBytes }),
		wasmRow("instances", Int, 0, 0, 64, "Instances of a binding that does not say itself, so calls at once; 0 is the number of processors.",
			func(w *Wasm) any { return &w.Instances }),
		wasmRow("instance.max.age.ms", Millis, 300000, 1000, 86400000, "After how long an instance is replaced by a fresh one.",
			func(w *Wasm) any { return &w.InstanceMaxAge }),
		wasmRow("acquire.timeout.ms", Millis, 100, 0, 60000, "How long a batch waits for an instance; then on_error decides.",
			func(w *Wasm) any { return &w.AcquireTimeout }),
		wasmRow("init.fuel", Int, 1_000_000_000, 1_000_000, maxFuel, "Units of work that starting and configuring an instance may take.",
			func(w *Wasm) any { return &w.InitFuel }),
		wasmRow("init.timeout.ms", Millis, 5000, 1, 600000, "How long starting and configuring an instance may take by the clock.",
			func(w *Wasm) any { return &w.InitTimeout }),
		wasmRow("call.fuel.base", Int, 5_000_000, 1000, maxFuel, "Units of work that a call may take, beside those for each record.",
			func(w *Wasm) any { return &w.CallFuelBase }),
		wasmRow("call.fuel.per.record", Int, 200_000, 0, 1_000_000_000, "Units of work that a call may take for each of its records.",
			func(w *Wasm) any { return &w.CallFuelPerRecord }),
		wasmRow("call.fuel.per.byte", Int, 200, 0, 1_000_000, "Units of work that a call may take for each byte of its records.",
			func(w *Wasm) any { return &w.CallFuelPerByte }),
		wasmRow("call.fuel.max", Int, 100_000_000, 1000, maxFuel, "Units of work that a call may take, however many records it has; at least call.fuel.base.",
			func(w *Wasm) any { return &w.CallFuelMax }),
		wasmRow("build.timeout.ms", Millis, 300_000, 1000, 3_600_000, "How long building a module from source may take.",
			func(w *Wasm) any { return &w.BuildTimeout }),
		wasmRow("call.timeout.ms", Millis, 250, 1, 60000, "How long a call may take by the clock.",
			func(w *Wasm) any { return &w.CallTimeout }),
		wasmRow("output.max.bytes", Bytes, 1<<20, 0, 1<<30, "What a call may write in all, beyond twice what it was given.",
			func(w *Wasm) any { return &w.OutputMaxBytes }),
		wasmRow("config.max.bytes", Bytes, 65536, 2, 16<<20, "The configuration of a binding, as JSON.",
			func(w *Wasm) any { return &w.ConfigMaxBytes }),
	}
}

// wasmWatch bounds what a module may tell, and says when one that fails is held off.
func wasmWatch() []Setting {
	return []Setting{
		wasmRow("log.lines.per.second", Int, 64, 0, 100000, "Lines that a module may log per second; further ones are counted.",
			func(w *Wasm) any { return &w.LogLinesPerSecond }),
		wasmRow("log.lines.max", Int, 500, 1, 100000, "Lines that are kept of a module's log, for the admin API.",
			func(w *Wasm) any { return &w.LogLines }),
		wasmRow("counters.max", Int, 64, 0, 1000, "Names of a module's own counters.",
			func(w *Wasm) any { return &w.CountersMax }),
		wasmRow("breaker.failures", Int, 5, 1, 1000000, "Failed calls within breaker.window.ms that open the breaker: the module is left out, and on_error decides.",
			func(w *Wasm) any { return &w.BreakerFailures }),
		wasmRow("breaker.window.ms", Millis, 10000, 100, 3600000, "Within what time failures count together.",
			func(w *Wasm) any { return &w.BreakerWindow }),
		wasmRow("breaker.backoff.ms", Millis, 1000, 1, 3600000, "How long the breaker stays open first; it doubles with each failed attempt.",
			func(w *Wasm) any { return &w.BreakerBackoff }),
		wasmRow("breaker.backoff.max.ms", Millis, 30000, 1, 3600000, "The longest time for which the breaker stays open; at least breaker.backoff.ms.",
			func(w *Wasm) any { return &w.BreakerBackoffMax }),
		wasmRow("canary.max.error.rate", Int, 5, 0, 100, "The percentage of failed records above which a canary is rolled back.",
			func(w *Wasm) any { return &w.CanaryMaxErrorRate }),
		wasmRow("canary.min.records", Int, 100, 1, 1000000000, "Records that a canary must have seen before it is judged.",
			func(w *Wasm) any { return &w.CanaryMinRecords }),
		wasmRow("canary.window.ms", Millis, 60000, 1000, 86400000, "Over what time a canary's error rate is taken.",
			func(w *Wasm) any { return &w.CanaryWindow }),
	}
}
