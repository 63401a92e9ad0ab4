package config

import (
	"encoding/json"
	"time"
)

// Wasm is [wasm]: the limits of guests, and where modules and their machine code are kept. Every limit is named in the
// error it causes.
type Wasm struct {
	RegistryDir         string // registry.dir: modules and their versions
	RegistryVersionsMax int    // registry.versions.max, of one module
	ModulesMax          int    // modules.max
	CacheDir            string // cache.dir: machine code, by content
	CacheMaxBytes       int64  // cache.max.bytes

	ModuleMaxBytes    int64 // module.max.bytes: an upload
	FunctionsMax      int   // functions.max of a module, as the following
	FunctionMaxBytes  int64 // function.max.bytes: the body of one
	FunctionMaxLocals int   // function.max.locals of one
	TypesMax          int   // types.max
	GlobalsMax        int   // globals.max
	TableMaxElements  int   // table.max.elements
	DataSegmentsMax   int   // data.segments.max
	CodeGrowthMax     int   // code.growth.max: times its size

	BuildTimeout time.Duration // build.timeout.ms: building a module from source

	CompileChild       bool          // compile.child: compile in a child process
	CompileCPU         time.Duration // compile.cpu.ms: processor time of the child
	CompileTimeout     time.Duration // compile.timeout.ms: wall clock
	CompileMemoryBytes int64         // compile.memory.bytes: memory of the child

	MemoryMaxBytes   int64         // memory.max.bytes: linear memory of one instance
	MemoryTotalBytes int64         // memory.total.bytes: of all instances together
	Instances        int           // instances of a binding that does not say; 0 is GOMAXPROCS
	InstanceMaxAge   time.Duration // instance.max.age.ms
	AcquireTimeout   time.Duration // acquire.timeout.ms

	InitFuel          int64         // init.fuel: starting and configure together
	InitTimeout       time.Duration // init.timeout.ms
	CallFuelBase      int64         // call.fuel.base
	CallFuelPerRecord int64         // call.fuel.per.record
	CallFuelPerByte   int64         // call.fuel.per.byte
	CallFuelMax       int64         // call.fuel.max
	CallTimeout       time.Duration // call.timeout.ms
	OutputMaxBytes    int64         // output.max.bytes: beyond twice the input
	ConfigMaxBytes    int           // config.max.bytes: a binding's Config

	LogLinesPerSecond int // log.lines.per.second of a module
	LogLines          int // log.lines.max: lines that are kept of a module's log
	CountersMax       int // counters.max: names of a module's own counters

	BreakerFailures   int           // breaker.failures within BreakerWindow open the breaker
	BreakerWindow     time.Duration // breaker.window.ms
	BreakerBackoff    time.Duration // breaker.backoff.ms
	BreakerBackoffMax time.Duration // breaker.backoff.max.ms

	CanaryMaxErrorRate int           // canary.max.error.rate, in percent
	CanaryMinRecords   int           // canary.min.records
	CanaryWindow       time.Duration // canary.window.ms
}

// Binding is a module that a [topics.*] table binds: as its partitioner, or as one of its interceptors. It is shared by
// all who ask for the topic, and must not be changed.
type Binding struct {
	Module string // its name in the registry; or, if Path, a .wasm file or a folder of source, relative to the working directory
	Path   bool
	Config json.RawMessage // a JSON object, compact and with sorted keys; {} if the file gives none

	// OnError is continue, strict or, of an interceptor, dlq.
	OnError   string
	Routes    []string // topics and globs that an interceptor may route to; none if empty
	Instances int      // 0 is Wasm.Instances
	Fallback  string   // of a partitioner: the built-in one that takes over where the module does not choose

	File string // where it stands, for messages; "" if the file does not say it
	Line int    // from 1
	Key  string // how errors name it: topics.orders.interceptors[0]
}
