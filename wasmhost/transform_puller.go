package wasmhost

import (
	"errors"
	"iter"
	"math"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// errUnwound ends a guest from within a host function.
var errUnwound = errors.New("it was ended by the host")

// puller is the coroutine in which a transform runs. Its _start never returns: it asks for a batch, and then for each
// record of it. It stands still while it waits for a batch. The coroutine has no thread of its own: it runs on that of
// whoever resumes it, and nobody may do so with a goroutine that is locked to one.
type puller struct {
	in    *instance
	next  func() (struct{}, bool)
	stop  func()              // ends the guest where it stands
	park  func(struct{}) bool // in the coroutine: waits for a batch; false if there will be none
	err   error               // how _start ended
	fault *failure            // why the host ended the guest, if it did

	batch   *Batch // under way, nil if none is
	records []Record
	read    int    // how many of records the guest has asked for
	payload []byte // of the record asked for last, as the guest got it
	written written
}

// start calls _start, up to where it asks for its first batch.
func (in *instance) start() *failure {
	l := &in.guest.host.limits
	p := &puller{in: in}
	start := in.mod.ExportedFunction("_start")
	p.next, p.stop = iter.Pull(func(park func(struct{}) bool) {
		p.park = park
		var stack [1]uint64
		p.err = start.CallWithStack(in.ctx, stack[:])
	})
	in.ctx.pull = p
	if _, f := p.resume(l.Module.InitFuel, l.InitTimeout); f != nil {
		return in.initFailed("_start", f)
	}
	return nil
}

// resume lets the guest run until it asks for a batch, and returns the fuel it used.
func (p *puller) resume(fuel int64, timeout time.Duration) (int64, *failure) {
	given := p.in.begin(fuel, timeout)
	_, parked := p.next()
	used := given - p.in.end()
	if parked {
		return used, nil
	}
	var f *failure
	switch {
	case p.fault != nil:
		f = p.fault
	case p.err == nil:
		f = failf(Trap, -1, "it exited: _start returned")
	default:
		f = p.in.trapped(p.err, used > given)
	}
	f.at = p.read - 1
	return min(used, given), f
}

// transform takes records of b through a transform. On failure they are as they were.
func (in *instance) transform(b *Batch, records []Record) (int64, *failure) {
	p, l := in.ctx.pull, &in.guest.host.limits
	size := inputSize(b.Topics, records)
	if size > math.MaxInt32 {
		return 0, failf(InputTooLarge, -1, "an input of %d bytes is more than a guest can address", size)
	}
	p.batch, p.records, p.read = b, records, 0
	p.written.reset(2*size + l.Output)
	in.ctx.now, in.ctx.refusal = b.Now, ""
	used, f := p.resume(l.callFuel(len(records), size), l.CallTimeout)
	in.calls++
	if f == nil && p.read < len(records) {
		f = failf(BadOutput, p.read-1, "it asked for the next batch after %d records of %d", p.read, len(records))
	}
	if f == nil {
		p.written.apply(b, records)
	}
	p.batch, p.records, p.read = nil, nil, 0
	return used, f
}

// timestamp of a record, as the guest sees it: records without one get theirs when they are sent, which is now.
func (p *puller) timestamp(r *Record) int64 {
	if r.Timestamp < 0 {
		return p.batch.Now
	}
	return r.Timestamp
}

// view is n bytes of memory at ptr. A guest that points outside of its memory is ended, as it is by Redpanda.
func (p *puller) view(mem api.Memory, ptr, n uint64) []byte {
	view, ok := mem.Read(uint32(ptr), uint32(n))
	if !ok {
		p.end(failf(Trap, -1, "it gave the host %d bytes at %d, but its memory ends at %d", uint32(n), uint32(ptr), mem.Size()))
	}
	return view
}

// end ends the guest from within a host function, for f.
func (p *puller) end(f *failure) {
	p.fault = f
	panic(errUnwound) //nolint:forbidigo // wazero recovers it: there is no other way out of a host function
}

// mayGoOn ends a guest that the watchdog wants ended. Without this it would be only after a slice of fuel, which lasts long
// for a guest that does little but call the host.
func (p *puller) mayGoOn() {
	if p.in.killed.Load() {
		panic(errUnwound) //nolint:forbidigo // wazero recovers it: there is no other way out of a host function
	}
}

// readBatchHeader waits for a batch and describes it as Kafka's batch header. The records have no offsets yet: they are
// counted from 0. Returns the size of the largest payload.
func (p *puller) readBatchHeader(mem api.Memory, s []uint64) int32 {
	if !p.park(struct{}{}) {
		panic(errUnwound) //nolint:forbidigo // wazero recovers it: there is no other way out of a host function
	}
	largest, latest := 0, int64(math.MinInt64)
	for i := range p.records {
		largest = max(largest, payloadSize(&p.records[i]))
		latest = max(latest, p.timestamp(&p.records[i]))
	}
	const unknown = math.MaxUint64 // -1 in any width
	p.put(mem, s[0], 8, 0)         // base offset
	p.put(mem, s[1], 4, uint64(len(p.records)))
	p.put(mem, s[2], 4, unknown)                  // partition leader epoch
	p.put(mem, s[3], 2, 0)                        // attributes: not compressed, time of creation, not of a transaction
	p.put(mem, s[4], 4, uint64(len(p.records)-1)) // last offset delta
	p.put(mem, s[5], 8, uint64(p.timestamp(&p.records[0])))
	p.put(mem, s[6], 8, uint64(latest))
	p.put(mem, s[7], 8, unknown) // producer id
	p.put(mem, s[8], 2, unknown) // producer epoch
	p.put(mem, s[9], 4, unknown) // base sequence
	return int32(largest)
}

// put writes the low size bytes of v.
func (p *puller) put(mem api.Memory, ptr uint64, size int, v uint64) {
	view := p.view(mem, ptr, uint64(size))
	for i := range view {
		view[i] = byte(v >> (8 * i))
	}
}

// readNextRecord gives the guest the next record. A record that does not fit into its buffer stays the next.
func (p *puller) readNextRecord(mem api.Memory, s []uint64) int32 {
	p.mayGoOn()
	if p.read == len(p.records) {
		return noActiveBatch
	}
	r := &p.records[p.read]
	buf := p.view(mem, s[3], s[4])
	if len(buf) < payloadSize(r) {
		return invalidBuffer
	}
	p.payload = appendPayload(p.payload[:0], r)
	p.in.ctx.charge(len(p.payload) / perCopied)
	p.put(mem, s[0], 1, 0) // attributes
	p.put(mem, s[1], 8, uint64(p.timestamp(r)))
	p.put(mem, s[2], 8, uint64(p.read))
	copy(buf, p.payload)
	p.read++
	p.in.ctx.now = p.timestamp(r)
	return int32(len(p.payload))
}

// write takes an output of the record that the guest works on.
func (p *puller) write(payload, options []byte) int32 {
	p.mayGoOn()
	if p.batch == nil {
		return noActiveBatch
	}
	of := max(p.read-1, 0)
	p.in.ctx.charge((len(payload) + len(options)) / perCopied)
	if len(payload) > p.written.room {
		p.end(p.written.tooLarge(of))
	}
	headers, same := 0, p.read > 0 && string(payload) == string(p.payload)
	if !same {
		var ok bool
		if headers, ok = checkPayload(payload); !ok {
			return invalidBuffer
		}
	}
	topic, ok := outputTopic(options)
	if !ok {
		return invalidBuffer
	}
	if string(topic) == p.batch.Topics[p.records[of].Topic].Name {
		topic = nil
	}
	if topic != nil && !p.in.guest.mayRoute(topic) {
		return invalidTopic
	}
	if !p.written.add(of, payload, same, headers, topic) {
		p.end(p.written.tooLarge(of))
	}
	return int32(len(payload))
}

// mayRoute says whether a transform may write to topic. Which names Kafka allows is not known here, but "" is none.
func (g *Guest) mayRoute(topic []byte) bool {
	return len(topic) > 0 && g.settings.RouteAllowed != nil && g.settings.RouteAllowed(topic)
}
