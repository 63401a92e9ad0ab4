package bench

import (
	"context"
	"net/url"
)

// The targets of the design for twice the load that can be carried.
const (
	targetGoodput = 0.9      // of the peak, at least
	targetExcess  = 64 << 20 // bytes over buffer.memory, at most
)

// Overload is what came of offering twice the peak.
type Overload struct {
	Environment  Environment `json:"environment"`
	Settings     Settings    `json:"settings"`
	Peak         *Result     `json:"peak"`     // as much as went, each connection waiting for its answers
	Overload     *Result     `json:"overload"` // twice that, at a fixed rate
	GoodputShare float64     `json:"goodput_over_peak"`
	RefusedShare float64     `json:"refused_share"`          // of the answered requests, those with 503
	Excess       int64       `json:"peak_rss_over_budget"`   // bytes
	OfferedShare float64     `json:"offered_share_achieved"` // of the rate asked for, what was really sent and answered
}

// runOverload is `sluice bench --overload`.
func (b *bench) runOverload(ctx context.Context) error {
	b.squeeze()
	p, err := newParty(&b.options)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.broker(ctx); err != nil {
		return err
	}
	base, server, err := p.sluice(ctx, sluiceSettings{maxBlockMs: 0, maxConnections: 4 * overloadFactor * maxLadder * b.load.connections})
	if err != nil {
		return err
	}
	peak, err := b.findPeak(ctx, base, server)
	if err != nil {
		return err
	}
	plan := b.plan(base, server)
	plan.rate = 2 * peak.Goodput / float64(plan.shape.records)
	plan.connections = overloadFactor * peak.Connections
	b.say("overload: %.0f requests/s over %d connections", plan.rate, plan.connections)
	over, err := newLoad(plan, b.watcher()).run(ctx)
	if err != nil {
		return err
	}
	if err := p.alive(); err != nil {
		return err
	}
	report := overloadReport(peak, over, p.kafka.memory())
	report.Environment, report.Settings = environment(), b.settings()
	report.Settings.Kafka = &p.kafka
	return b.print(report)
}

const (
	overloadFactor = 8  // connections at twice the peak, for each one at the peak: enough to keep offering while answers are late
	maxLadder      = 16 // the peak is looked for with up to so many times --connections
)

// squeeze chooses the settings that were not given so that the broker is the limit and the buffer does fill up: a broker
// that takes all that --connections can have in flight ten times a second, and a buffer for half of what the connections
// of the overload can.
func (b *bench) squeeze() {
	const overhead = 128 // bytes per record on top of its value, in the buffer; a guess on the safe side
	k, s := &b.kafka, b.load.shape
	inFlight := int64(b.load.connections * s.records * (s.size + overhead))
	if k.BufferMemory == 0 {
		k.BufferMemory = max(inFlight*overloadFactor/2, int64(k.BatchSize))
	}
	if k.BrokerRate == unset {
		k.BrokerRate = max(10*inFlight, 1<<20)
	}
	k.MaxRequestSize = min(k.MaxRequestSize, int(k.BufferMemory)) // as Kafka's rules demand
}

// findPeak doubles the connections for as long as that brings another 5 %.
func (b *bench) findPeak(ctx context.Context, base *url.URL, server account) (*Result, error) {
	var best *Result
	for factor := 1; factor <= maxLadder; factor *= 2 {
		plan := b.plan(base, server)
		plan.connections *= factor
		plan.rate = 0
		b.say("peak: %d connections", plan.connections)
		result, err := newLoad(plan, b.watcher()).run(ctx)
		if err != nil {
			return nil, err
		}
		if _, ok := result.Answered(); ok == 0 {
			return nil, result.clean()
		}
		if best != nil && result.Goodput < 1.05*best.Goodput {
			if result.Goodput > best.Goodput {
				best = result
			}
			break
		}
		best = result
	}
	return best, nil
}

func overloadReport(peak, over *Result, budget int64) *Overload {
	o := &Overload{Peak: peak, Overload: over, GoodputShare: over.Goodput / peak.Goodput}
	if answered, _ := over.Answered(); answered > 0 {
		o.RefusedShare = float64(over.Statuses["503"]) / float64(answered)
	}
	if over.OfferedPerSecond > 0 {
		o.OfferedShare = over.RequestsPerSecond / over.OfferedPerSecond
	}
	if over.Server != nil {
		o.Excess = over.Server.PeakRSS - budget
	}
	return o
}
