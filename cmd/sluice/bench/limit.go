package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// The targets of the design for the two shapes of request, as ratios of CPU.
const (
	targetPerRequest = 1.6 // one record per request, against a server that does nothing
	targetPerRecord  = 1.5 // many records per request, against kgo in a tight loop
)

// The figures of the report, by the names of its JSON.
const (
	figureCPURequest = "cpu_per_request_us"
	figureCPURecord  = "cpu_per_record_us"
	figureRequests   = "requests_per_second"
	figureRecords    = "records_per_second"
	figureP50        = "p50_us"
	figureP99        = "p99_us"
	figurePeakRSS    = "peak_rss_bytes"
)

// Comparison is contenders measured in turn.
type Comparison struct {
	Environment Environment       `json:"environment"`
	Settings    Settings          `json:"settings"`
	Contenders  map[string]string `json:"contenders"` // what each of them is
	Series      []Series          `json:"series"`
	Ratios      []Ratio           `json:"ratios"`
	Notes       []string          `json:"notes,omitempty"` // what a reader of the ratios must know
}

// Settings are those of the load, and of the producers behind it when they were started here.
type Settings struct {
	Rounds      int           `json:"rounds"`
	Connections int           `json:"connections"`
	Seconds     float64       `json:"seconds"` // per contender and round
	WarmUp      float64       `json:"warm_up_seconds"`
	Rate        float64       `json:"offered_requests_per_second,omitempty"`
	Size        int           `json:"record_size"`
	Records     int           `json:"records_per_request"`
	Keys        int           `json:"keys"`
	Dialect     string        `json:"dialect"`
	Ack         string        `json:"ack"`
	Kafka       *kafkaOptions `json:"kafka,omitempty"`
}

func (o *options) settings() Settings {
	l := o.load
	return Settings{
		Rounds: o.rounds, Connections: l.connections, Seconds: l.duration.Seconds(), WarmUp: l.warmup.Seconds(), Rate: l.rate,
		Size: l.shape.size, Records: l.shape.records, Keys: l.shape.keys, Dialect: l.shape.dialect, Ack: l.shape.ack,
	}
}

// runLimit is `sluice bench --limit`.
func (b *bench) runLimit(ctx context.Context) error {
	p, err := newParty(&b.options)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.broker(ctx); err != nil {
		return err
	}
	nothingURL, nothing, err := p.nothing(ctx)
	if err != nil {
		return err
	}
	const javaDefault = 60_000
	sluiceURL, sluice, err := p.sluice(ctx, sluiceSettings{maxBlockMs: javaDefault})
	if err != nil {
		return err
	}
	one, many := b.limitShapes()
	names := [...]string{"do-nothing", "sluice", fmt.Sprintf("sluice x%d", many.records), "kgo"}
	samples, err := alternate(ctx, b.rounds, []contender{
		{names[0], b.loadContender(p, nothingURL, nothing, one)},
		{names[1], b.loadContender(p, sluiceURL, sluice, one)},
		{names[2], b.loadContender(p, sluiceURL, sluice, many)},
		{names[3], func(ctx context.Context) (sample, error) { return tightSample(p.tight(ctx)) }},
	}, b.say)
	if err != nil {
		return err
	}
	c := limitReport(names, samples, many.records)
	c.Environment, c.Settings = environment(), b.settings()
	c.Settings.Records, c.Settings.Dialect, c.Settings.Kafka = many.records, many.dialect, &p.kafka
	if b.load.rate == 0 {
		c.Notes = append(c.Notes, "the requests per second differ, and a busier server pays less per request for being woken: "+
			"--rate gives both servers the same number of single-record requests per second")
	}
	return b.print(c)
}

// limitShapes are the two requests that are compared: one record, and many.
func (b *bench) limitShapes() (one, many shape) {
	one, many = b.load.shape, b.load.shape
	one.records, one.dialect = 1, dialectRaw
	if many.records == 1 {
		many.records = 100
	}
	if many.dialect == dialectRaw {
		many.dialect = dialectNDJSON
	}
	if many.keys > 0 {
		many.dialect = dialectRecords
	}
	return one, many
}

// limitReport makes figures and ratios of the samples.
func limitReport(names [4]string, samples map[string][]sample, records int) *Comparison {
	nothing, one, many, kgo := names[0], names[1], names[2], names[3]
	c := &Comparison{Contenders: map[string]string{
		nothing: "fasthttp.Server with its defaults: reads the body, answers 200 with a fixed body",
		one:     "sluice serve, one record per request (raw)",
		many:    fmt.Sprintf("sluice serve, %d records per request", records),
		kgo:     "one goroutine in a loop over Client.Produce, records reused; batches up to max.request.size",
	}}
	add := func(contender string, figures ...string) {
		for _, f := range figures {
			c.Series = append(c.Series, series(samples, contender, f))
		}
	}
	add(nothing, figureCPURequest, figureRequests, figureP50, figureP99, figurePeakRSS)
	add(one, figureCPURequest, figureRequests, figureP50, figureP99, figurePeakRSS)
	add(many, figureCPURecord, figureRecords, figureP50, figureP99, figurePeakRSS)
	add(kgo, figureCPURecord, figureRecords, figurePeakRSS)
	c.Ratios = []Ratio{
		ratio("CPU per request, "+one+" / "+nothing, targetPerRequest,
			series(samples, one, figureCPURequest), series(samples, nothing, figureCPURequest)),
		ratio("CPU per record, "+many+" / "+kgo, targetPerRecord,
			series(samples, many, figureCPURecord), series(samples, kgo, figureCPURecord)),
	}
	return c
}

// loadContender measures one server under the load of the options in the given shape.
func (b *bench) loadContender(p *party, base *url.URL, server account, s shape) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		plan := b.plan(base, server)
		plan.shape = s
		if s.records > 1 {
			plan.rate = 0 // --rate is about single records; many are compared with a loop that has no rate either
		}
		result, err := newLoad(plan, b.watcher()).run(ctx)
		if err != nil {
			return nil, err
		}
		if err := p.alive(); err != nil {
			return nil, err
		}
		if err := result.clean(); err != nil {
			return nil, err
		}
		return result.sample(), nil
	}
}

// clean is an error when not every request was answered as hoped: a ratio of CPU would then compare different work.
func (r *Result) clean() error {
	if answered, ok := r.Answered(); answered == 0 || ok < answered || len(r.Errors) > 0 {
		return fmt.Errorf("not all requests were answered 200 or 202: statuses %v, errors %v", r.Statuses, r.Errors)
	}
	return nil
}

func (r *Result) sample() sample {
	s := sample{figureRequests: r.RequestsPerSecond, figureRecords: r.Goodput}
	if r.Latency != nil {
		s[figureP50], s[figureP99] = r.Latency.P50, r.Latency.P99
	}
	if r.Server != nil {
		s[figureCPURequest], s[figureCPURecord] = r.Server.CPUPerRequest, r.Server.CPUPerRecord
		s[figurePeakRSS] = float64(max(r.Server.PeakRSS, r.Server.RSS))
	}
	return s
}

// tightSample reads what the loop on kgo printed.
func tightSample(out []byte, err error) (sample, error) {
	if err != nil {
		return nil, err
	}
	var t Tight
	if err := json.Unmarshal(out, &t); err != nil {
		return nil, fmt.Errorf("cannot read the result of kgo's loop: %w", err)
	}
	return sample{
		figureCPURecord: t.CPUPerRecord, figureRecords: t.RecordsPerSecond, figurePeakRSS: float64(t.PeakRSS),
	}, nil
}
