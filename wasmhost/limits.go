package wasmhost

import (
	"runtime"
	"time"

	"sluice/wasmhost/meter"
)

// Limits bounds what guests may take. Errors name them by their setting, [wasm] in the configuration.
type Limits struct {
	Module meter.Limits // what an upload may be

	MemoryTotal      int64         // memory.total.bytes: linear memory of all instances
	InitTimeout      time.Duration // init.timeout.ms: instantiation and configure, wall clock
	FuelBase         int64         // call.fuel.base: of a call, beside what each record gives
	FuelPerRecord    int64         // call.fuel.per.record
	FuelPerByte      int64         // call.fuel.per.byte of its input
	FuelMax          int64         // call.fuel.max: of a call
	CallTimeout      time.Duration // call.timeout.ms: of a call, wall clock
	Output           int           // output.max.bytes: what a call may return, beside twice its input
	Instances        int           // instances of a guest; 0 = GOMAXPROCS, 64 at most
	AcquireTimeout   time.Duration // acquire.timeout.ms: how long a batch waits for an instance
	InstanceMaxAge   time.Duration // instance.max.age.ms: then it is replaced
	LogLinesPerSec   int           // log.lines.per.second, of a guest
	Counters         int           // counters.max: names of a module's own metrics
	Config           int           // config.max.bytes of a binding
	BreakerFailures  int           // breaker.failures within BreakerWindow, then the breaker may open
	BreakerWindow    time.Duration // breaker.window.ms
	BreakerBackoff   time.Duration // breaker.backoff.ms: how long it stays open, doubling
	BreakerBackoffMx time.Duration // breaker.backoff.max.ms
}

// maxInstances is the most that instances may be set to.
const maxInstances = 64

// DefaultLimits are the defaults of [wasm].
func DefaultLimits() Limits {
	return Limits{
		Module:           meter.DefaultLimits(),
		MemoryTotal:      512 << 20,
		InitTimeout:      5 * time.Second,
		FuelBase:         5_000_000, // a garbage collection of a Go guest fits in
		FuelPerRecord:    200_000,
		FuelPerByte:      200, // a JSON scanner in Go takes 100
		FuelMax:          100_000_000,
		CallTimeout:      250 * time.Millisecond, // several times what the most fuel takes, for machines that are busy
		Output:           1 << 20,
		AcquireTimeout:   100 * time.Millisecond,
		InstanceMaxAge:   5 * time.Minute,
		LogLinesPerSec:   64,
		Counters:         64,
		Config:           64 << 10,
		BreakerFailures:  5,
		BreakerWindow:    10 * time.Second,
		BreakerBackoff:   time.Second,
		BreakerBackoffMx: 30 * time.Second,
	}
}

func (l *Limits) instances(asked int) int {
	n := asked
	if n == 0 {
		n = l.Instances
	}
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return min(n, maxInstances)
}

// retryTime is what one more call of a batch may take, from the wish for an instance to its end.
func (l *Limits) retryTime() time.Duration { return l.CallTimeout + l.AcquireTimeout }

// callFuel is what a call with n records in an input of size bytes may use.
func (l *Limits) callFuel(n, size int) int64 {
	return min(l.FuelBase+int64(n)*l.FuelPerRecord+int64(size)*l.FuelPerByte, l.FuelMax)
}
