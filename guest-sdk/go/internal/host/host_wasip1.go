package host

// Log writes a line to the module's log.
//
//go:wasmimport sluice_v1 log
func Log(level int32, line string)

// RecordError marks a record of the batch failed.
//
//go:wasmimport sluice_v1 record_error
func RecordError(index uint32, reason string)

// CounterAdd adds to a metric of the module.
//
//go:wasmimport sluice_v1 counter_add
func CounterAdd(name string, delta int64)

// NowMS is the time in Unix milliseconds, the same throughout one call.
//
//go:wasmimport sluice_v1 now_ms
func NowMS() int64
