//go:build !wasip1

package sluicetest

import (
	"errors"
	"sync"
	"testing"

	"sluice/guest-sdk/abi"
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/internal/host"
	"sluice/guest-sdk/go/internal/memory"
)

// one lets one call run at a time, so that tests may be parallel: a guest has one thread.
var one sync.Mutex //nolint:gochecknoglobals // it guards the process's one guest

// OnSend calls f for every record of b, as on_send does.
func OnSend(tb testing.TB, f func(r *sluice.Record) error, b Batch) Result {
	tb.Helper()
	return b.run(tb, func(at, size uint32) int32 { return sluice.EachRecord(at, size, f) })
}

// Partition calls f for every record of b, as partition does.
func Partition(tb testing.TB, f func(r *sluice.Record) int32, b Batch) Result {
	tb.Helper()
	return b.run(tb, func(at, size uint32) int32 { return sluice.EachPartition(at, size, f) })
}

func (b *Batch) run(tb testing.TB, hook func(at, size uint32) int32) Result {
	tb.Helper()
	one.Lock()
	defer one.Unlock()
	host.Start(b.Now)
	w := b.write()
	if code := hook(w.base, uint32(len(w.view))); code != 0 {
		tb.Fatalf("the hook returned %d", code)
	}
	asked := host.Report()
	result := Result{Lines: asked.Lines, Counters: asked.Counters}
	for i := range b.Records {
		v := reader{tb: tb, view: w.view}.verdict(recordsAt + i*abi.RecordSize)
		v.Failed = asked.Failed[i]
		result.Verdicts = append(result.Verdicts, v)
	}
	return result
}

// OnAck calls f for every acknowledgement, as on_ack does.
func OnAck(tb testing.TB, f func(a *sluice.Ack), acks ...Ack) Result {
	tb.Helper()
	one.Lock()
	defer one.Unlock()
	host.Start(0)
	w := writeAcks(acks)
	if code := sluice.EachAck(w.base, uint32(len(w.view)), f); code != 0 {
		tb.Fatalf("the hook returned %d", code)
	}
	asked := host.Report()
	return Result{Lines: asked.Lines, Counters: asked.Counters}
}

// Configure calls f with a configuration whose config table is the JSON text config. If it is refused, the error is what
// the host would show.
func Configure(tb testing.TB, f func(c *sluice.Config) error, config string) error {
	tb.Helper()
	one.Lock()
	defer one.Unlock()
	host.Start(0)
	doc := `{"topic":"test","module":"test","version":"","host":"gateway-1","config":` + config + `}`
	at := memory.Shared.Input(uint32(len(doc)))
	view, _ := memory.Shared.At(at, uint32(len(doc)))
	copy(view, doc)
	if sluice.ConfigureWith(at, uint32(len(doc)), f) >= 0 {
		return nil
	}
	lines := host.Report().Lines
	if len(lines) == 0 || lines[len(lines)-1].Level != abi.LevelError {
		tb.Fatal("configure was refused without a line at level error")
	}
	return errors.New(lines[len(lines)-1].Text)
}

// Prepare returns a function that lets a hook see b and does nothing else, to be called in benchmarks and to count what the
// hook allocates.
func Prepare(tb testing.TB, b Batch) func(f func(r *sluice.Record) error) {
	tb.Helper()
	return func(f func(r *sluice.Record) error) {
		one.Lock()
		defer one.Unlock()
		w := b.write()
		if code := sluice.EachRecord(w.base, uint32(len(w.view)), f); code != 0 {
			tb.Fatalf("the hook returned %d", code)
		}
	}
}
