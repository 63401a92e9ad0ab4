package wasmhost

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost/meter"
)

// killedBudget is less than any call can have, and far enough from the end of int64 to be counted down.
const killedBudget = uint64(3) << 62

// The states of an instance, for the watchdog.
const (
	idle    = iota
	running // in a call
	killing // the watchdog is writing into it
)

// instance is one running copy of a module. Only one goroutine uses it at a time, except for the watchdog.
type instance struct {
	guest  *Guest
	mod    api.Module
	mem    api.Memory
	fuel   api.MutableGlobal
	budget api.MutableGlobal
	alloc  api.Function
	hooks  [NumHooks]api.Function
	ctx    *callContext
	stack  [2]uint64

	arena     uint32 // what sluice_alloc returned last
	arenaSize uint32
	born      time.Time
	lent      *loan
	counted   int64 // bytes of linear memory that the statistics have
	base      int64 // bytes of linear memory after configure
	calls     int64

	state  atomic.Int32
	serial atomic.Uint64 // of calls, for the watchdog
	killed atomic.Bool
	ticks  atomic.Int32 // how many ticks of the watchdog a call may see
	taken  int64        // the budget that kill took away; changes hands with state
}

// begin gives the instance fuel, in whole slices, shows it to the watchdog and returns how much it gave.
func (in *instance) begin(fuel int64, timeout time.Duration) int64 {
	slices := max(1, (fuel+meter.Slice-1)/meter.Slice)
	in.fuel.Set(meter.Slice)
	in.ctx.owed = 0
	in.budget.Set(uint64((slices - 1) * meter.Slice))
	in.killed.Store(false)
	in.ticks.Store(in.guest.host.watchdog.ticks(timeout))
	in.serial.Add(1)
	in.state.Store(running)
	return slices * meter.Slice
}

// end takes the instance away from the watchdog and returns the fuel that is left, with what the watchdog took away.
func (in *instance) end() int64 {
	for !in.state.CompareAndSwap(running, idle) {
		runtime.Gosched() // the watchdog is writing, which takes nanoseconds
	}
	budget := in.budget.Get()
	if budget == killedBudget {
		budget = uint64(in.taken)
	}
	return int64(in.fuel.Get()) + int64(budget)
}

// kill lets the instance run out of fuel at its next slice, if it is still in the call with that serial. The guest may be
// at the end of a slice just now, and write its budget too: if it does so after kill, it goes on until the watchdog kills
// it again at the next tick; if between kill's reading and writing, it is taken to have used up to a slice less than it did.
func (in *instance) kill(serial uint64) {
	if !in.state.CompareAndSwap(running, killing) {
		return
	}
	if in.serial.Load() == serial {
		if budget := in.budget.Get(); budget != killedBudget {
			in.taken = int64(budget)
		}
		in.budget.Set(killedBudget)
		in.killed.Store(true)
	}
	in.state.Store(running)
}

// call calls f with up to two parameters and returns its result and the fuel it used.
func (in *instance) call(f api.Function, params int, a, b uint32, fuel int64, timeout time.Duration) (int32, int64, *failure) {
	in.stack[0], in.stack[1] = uint64(a), uint64(b)
	given := in.begin(fuel, timeout)
	err := f.CallWithStack(in.ctx, in.stack[:max(params, 1)])
	used := given - in.end()
	if err != nil {
		return 0, min(used, given), in.trapped(err, used > given)
	}
	return int32(uint32(in.stack[0])), min(used, given), nil
}

// trapped says why a call ended as it did.
func (in *instance) trapped(err error, empty bool) *failure {
	l := &in.guest.host.limits
	at := in.progress()
	switch {
	case in.killed.Load():
		return failf(OutOfTime, at, "it took longer than %v (wasm.call.timeout.ms)", l.CallTimeout)
	case empty:
		return failf(OutOfFuel, at, "it used up its fuel (wasm.call.fuel.base, .per.record, .per.byte and .max)")
	}
	text := err.Error()
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		text = fmt.Sprintf("it exited with status %d", exit.ExitCode())
	}
	text, stack, _ := strings.Cut(strings.TrimPrefix(text, "wasm error: "), "\n")
	text = strings.TrimSuffix(text, " (recovered by wazero)")
	if line := in.ctx.refusal; line != "" {
		text += " (it said: " + line + ")"
	}
	f := failf(Trap, at, "%s", text)
	f.stack = stack
	return f
}

// progress is the record that the guest says it was working on; -1 if it does not say.
func (in *instance) progress() int {
	v, ok := in.mem.ReadUint32Le(in.arena + abi.HdrProgress)
	if !ok || in.arenaSize == 0 || v > math.MaxInt32 {
		return -1
	}
	return int(v)
}

// input returns a view of linear memory for size bytes.
func (in *instance) input(size int) ([]byte, *failure) {
	if size > math.MaxInt32 {
		return nil, failf(InputTooLarge, -1, "an input of %d bytes is more than a guest can address", size)
	}
	if size > int(in.arenaSize) {
		if f := in.growArena(uint32(size)); f != nil {
			return nil, f
		}
	}
	view, ok := in.mem.Read(in.arena, uint32(size))
	if !ok {
		return nil, failf(BadOutput, -1, "sluice_alloc returned %d for %d bytes, but memory ends at %d", in.arena, size, in.mem.Size())
	}
	return view, nil
}

func (in *instance) growArena(size uint32) *failure {
	l := &in.guest.host.limits
	want := uint32(4096)
	for want < size {
		want *= 2
	}
	in.arenaSize = 0
	at, _, f := in.call(in.alloc, 1, want, 0, l.callFuel(0, int(want)), l.CallTimeout)
	if f != nil {
		f.at = -1
		return f
	}
	if at == 0 {
		f := failf(OutOfMemory, -1, "its sluice_alloc has no room for an input of %d bytes", want)
		return f
	}
	if at&7 != 0 {
		return failf(BadOutput, -1, "sluice_alloc returned %d, which is not a multiple of 8", uint32(at))
	}
	in.arena, in.arenaSize = uint32(at), want
	return nil
}

// send takes records of b through hook. On failure they are as they were, apart from verdicts.
func (in *instance) send(hook Hook, b *Batch, records []Record) (int64, *failure) {
	if in.ctx.pull != nil {
		return in.transform(b, records)
	}
	size := inputSize(b.Topics, records)
	view, f := in.input(size)
	if f != nil {
		return 0, f
	}
	at := encode(view, in.arena, b, records)
	in.ctx.batch, in.ctx.now, in.ctx.refusal = records, b.Now, ""
	l := &in.guest.host.limits
	rc, used, f := in.call(in.hooks[hook], 2, in.arena, uint32(size), l.callFuel(len(records), size), l.CallTimeout)
	in.ctx.batch = nil
	in.calls++
	if f != nil {
		return used, f
	}
	if rc < 0 {
		f := failf(ReturnCode, in.progress(), "%s returned %d", hook, rc)
		return used, f
	}
	if view, _ = in.mem.Read(in.arena, uint32(size)); view == nil {
		return used, failf(BadOutput, -1, "its input is no longer in its memory")
	}
	if hook == Partition {
		partitions(view, at, b.Topics, records)
		return used, nil
	}
	room := 2*size + l.Output
	r := reader{mem: in.mem, b: b, checking: true, room: room, max: room}
	return used, r.records(view, at, records, in.hooks[OnAck] != nil)
}

// tell takes acks through on_ack.
func (in *instance) tell(acks []Ack, now int64) (int64, *failure) {
	size := acksSize(acks)
	view, f := in.input(size)
	if f != nil {
		return 0, f
	}
	encodeAcks(view, in.arena, acks)
	in.ctx.now, in.ctx.refusal, in.ctx.acks, in.ctx.refused = now, "", len(acks), 0
	l := &in.guest.host.limits
	rc, used, f := in.call(in.hooks[OnAck], 2, in.arena, uint32(size), l.callFuel(len(acks), size), l.CallTimeout)
	in.ctx.acks = 0
	in.calls++
	if f == nil && rc < 0 {
		f = failf(ReturnCode, in.progress(), "on_ack returned %d", rc)
	}
	return used, f
}

// memory is the bytes of its linear memory.
func (in *instance) memory() int64 { return int64(in.mem.Size()) }

// stale says that the instance should be replaced: it is old, or its memory has grown for good, beyond what the largest
// batch that it was given explains: its arena, and as much again for the former ones and for what it made of it. Replacing
// what has grown is paced, because a guest may well need that much every time.
func (in *instance) stale(now time.Time) bool {
	const roomToGrow, arenas = 8 << 20, 4 // a Go guest takes 5 MiB before its first garbage collection
	const lifetime = 100                  // times what building it took: a hundredth of a core at most goes into this
	age := now.Sub(in.born)
	return age > in.guest.maxAge ||
		in.memory() > 2*in.base+roomToGrow+arenas*int64(in.arenaSize) && age > lifetime*in.guest.buildTime()
}

// close gives the instance up. In good order the guest is told.
func (in *instance) close(goodOrder bool) {
	if f := in.mod.ExportedFunction("close"); goodOrder && f != nil {
		l := &in.guest.host.limits
		_, _, _ = in.call(f, 0, 0, 0, l.FuelBase, l.CallTimeout) // it is going away whatever it says
	}
	if in.ctx.pull != nil {
		in.ctx.pull.stop()
	}
	in.guest.host.watchdog.remove(in)
	_ = in.mod.Close(context.Background()) // has no resources whose closing could fail
	in.lent.Free()
}
