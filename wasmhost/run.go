package wasmhost

import (
	"fmt"
	"time"

	"sluice/guest-sdk/abi"
)

// OnSend shows the records of b to the guest. Every record has a verdict afterwards; only those that passed may differ.
func (g *Guest) OnSend(b *Batch) { g.run(OnSend, b) }

// Partition has the guest choose a partition for every record of b; -1 means that it leaves the choice to others.
func (g *Guest) Partition(b *Batch) { g.run(Partition, b) }

func (g *Guest) run(hook Hook, b *Batch) {
	b.Extra = b.Extra[:0]
	if len(b.Records) == 0 || !g.Module.Kinds.has(hook) {
		return
	}
	ok, probe := g.breaker.allow()
	if !ok {
		g.bypass(hook, b.Records, BreakerOpen)
		return
	}
	in := g.send.take(g.host.limits.AcquireTimeout)
	if in == nil {
		g.breaker.quiet(probe)
		g.bypass(hook, b.Records, NoInstance)
		return
	}
	if used, f := g.attempt(hook, in, b, b.Records); f != nil {
		g.isolate(hook, b, f, used, probe)
	} else {
		g.breaker.note(probe, len(b.Records), 0, 0)
	}
	g.count(hook, b.Records)
}

// attempt makes one call, and gives the instance back or throws it away. It returns the fuel that was used.
func (g *Guest) attempt(hook Hook, in *instance, b *Batch, records []Record) (int64, *failure) {
	start := time.Now()
	used, f := in.send(hook, b, records)
	in.ctx.since = time.Now()
	s := &g.Stats.Hooks[hook]
	s.Calls.Add(1)
	s.Latency.Add(int64(in.ctx.since.Sub(start)))
	s.Fuel.Add(used)
	if f != nil {
		f.worn = in.calls > 1 && f.cause != OutOfFuel && f.cause != OutOfTime
		g.discard(&g.send, in)
		g.tell(hook.String(), f)
		return used, f
	}
	g.send.put(in)
	return used, nil
}

// bypass gives records the verdict that the guest has not seen them.
func (g *Guest) bypass(hook Hook, records []Record, c Cause) {
	reason := fmt.Sprintf("module %q failed too often, and is not called for a while (wasm.breaker.failures)", g.settings.Name)
	if c == NoInstance {
		reason = g.send.shortage()
	}
	g.skip(hook, records, c, reason)
}

func (g *Guest) skip(hook Hook, records []Record, c Cause, reason string) {
	g.Stats.Hooks[hook].Errors[c].Add(int64(len(records)))
	for i := range records {
		records[i].Verdict, records[i].Cause, records[i].Reason = Bypassed, c, reason
	}
}

// count adds what became of records to the statistics, and ends routes that the binding does not allow.
func (g *Guest) count(hook Hook, records []Record) {
	s := &g.Stats.Hooks[hook]
	var changed, dropped, routed int64
	for i := range records {
		r := &records[i]
		if r.Changed&abi.FlagRoute != 0 && r.Verdict == Passed && (g.settings.RouteAllowed == nil || !g.settings.RouteAllowed(r.Route)) {
			r.Verdict, r.Cause = Failed, RouteDenied
			r.Reason = fmt.Sprintf("it may not route to topic %q: its binding's routes do not allow it", r.Route)
		}
		if r.Verdict != Passed {
			if r.Verdict == Failed {
				s.Errors[r.Cause].Add(1)
			}
			continue
		}
		switch {
		case r.Changed == 0:
			continue
		case r.Dropped():
			dropped++
		case r.Changed&abi.FlagRoute != 0:
			routed++
		default:
			changed++
		}
	}
	s.Records.Add(int64(len(records)))
	if changed != 0 {
		s.Changed.Add(changed)
	}
	if dropped != 0 {
		s.Dropped.Add(dropped)
	}
	if routed != 0 {
		s.Routed.Add(routed)
	}
}

// OnAck tells the guest of acks. A failure is counted and that is all: the records are long stored.
func (g *Guest) OnAck(acks []Ack, now int64) {
	if len(acks) == 0 || !g.Module.Kinds.OnAck {
		return
	}
	s := &g.Stats.Hooks[OnAck]
	n := int64(len(acks))
	ok, probe := g.breaker.allow()
	if !ok {
		s.Errors[BreakerOpen].Add(n)
		return
	}
	// No request waits for this, so it is worth waiting until an instance is made anew.
	in := g.ack.take(max(g.host.limits.AcquireTimeout, g.host.limits.InitTimeout))
	if in == nil {
		g.breaker.quiet(probe)
		s.Errors[NoInstance].Add(n)
		return
	}
	start := time.Now()
	used, f := in.tell(acks, now)
	in.ctx.since = time.Now()
	s.Calls.Add(1)
	s.Records.Add(n)
	s.Latency.Add(int64(in.ctx.since.Sub(start)))
	s.Fuel.Add(used)
	if f != nil {
		s.Errors[f.cause].Add(n)
		g.discard(&g.ack, in)
		g.tell(OnAck.String(), f)
		g.breaker.note(probe, len(acks), len(acks), 1)
		return
	}
	if n := in.ctx.refused; n > 0 {
		s.Errors[RecordError].Add(int64(n))
	}
	g.ack.put(in)
	g.breaker.note(probe, len(acks), 0, 0)
}
