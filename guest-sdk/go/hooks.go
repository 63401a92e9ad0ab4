package sluice

import (
	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/internal/host"
	"sluice/guest-sdk/go/internal/memory"
)

// NotMine is what a partitioner says that has no opinion on a record: the topic's default partitioner chooses.
const NotMine int32 = -1

// Configure sets what is called once with the configuration, before any record. An error refuses it, and what the error
// says is what the user sees. A module without it takes every configuration.
func Configure(f func(c *Config) error) { self.configure = f }

// Close sets what is called before an instance is given up in good order. Nothing relies on it: an instance may also end
// without.
func Close(f func() error) { self.close = f }

// EachRecord calls f for every record of a batch. It is what the export on_send does; package onsend has that export.
func EachRecord(batch, size uint32, f func(r *Record) error) int32 {
	in, good := open(batch, size, abi.BatchMagic, abi.RecordSize)
	if !good || f == nil {
		return failed
	}
	r := &self.record
	in.each(func(i uint32) {
		r.begin(in, i)
		if err := f(r); err != nil {
			r.Fail(err.Error())
		}
		r.end()
	}, host.RecordError)
	return done
}

// EachPartition calls f for every record of a batch and takes its result as the record's partition. It is what the export
// partition does; package partition has that export.
func EachPartition(batch, size uint32, f func(r *Record) int32) int32 {
	in, good := open(batch, size, abi.BatchMagic, abi.RecordSize)
	if !good || f == nil {
		return failed
	}
	r := &self.record
	in.each(func(i uint32) {
		r.begin(in, i)
		r.raw.partition = f(r)
	}, host.RecordError)
	return done
}

// EachAck calls f for every acknowledgement. It is what the export on_ack does; package onack has that export.
func EachAck(acks, size uint32, f func(a *Ack)) int32 {
	in, good := open(acks, size, abi.AcksMagic, abi.AckSize)
	if !good || f == nil {
		return failed
	}
	a := &self.ack
	in.each(func(i uint32) {
		a.raw = overlay[ack](in.list[i*abi.AckSize:])
		f(a)
	}, func(i uint32, reason string) {
		host.RecordError(i, reason) // is counted, but nobody is told the reason
		Error("on_ack: " + reason)
	})
	return done
}

// ConfigureWith calls f with the configuration that the host passed, and logs why it is refused. It is what the export
// configure does.
func ConfigureWith(at, size uint32, f func(c *Config) error) int32 {
	memory.Shared.Reset()
	return once(func() error {
		doc, good := memory.Shared.At(at, size)
		if !good {
			return &configError{badInput}
		}
		return configure(doc, f)
	})
}

// CloseWith calls f and logs its error. It is what the export close does.
func CloseWith(f func() error) int32 {
	memory.Shared.Reset()
	if f == nil {
		return done
	}
	return once(f)
}

// once calls f, logs its error or panic and returns what the host is told.
func once(f func() error) (result int32) {
	defer func() {
		if v := recover(); v != nil {
			Error("panic: " + panicText(v))
			result = failed
		}
	}()
	if err := f(); err != nil {
		Error(err.Error())
		return failed
	}
	return done
}

// NowMS is the time in Unix milliseconds. It is the same throughout one call.
func NowMS() int64 { return host.NowMS() }

// CounterAdd adds n to a metric of the module. Names match [a-z0-9_]{1,48}; a module may have wasm.counters.max of them.
func CounterAdd(name string, n int64) { host.CounterAdd(name, n) }
