package bench

import (
	"fmt"
	"time"
)

// snapshot is both sides of a load at one moment.
type snapshot struct {
	at        time.Duration
	answered  int64
	stored    int64 // records, as the following
	dropped   int64
	failed    int64
	server    usage
	generator time.Duration // CPU of this process
}

// Progress is how a load is going.
type Progress struct {
	Elapsed   time.Duration
	WarmingUp bool
	Requests  int64 // answered since the last one, a second ago
	P99       time.Duration
	Server    *usage
}

func (l *load) snapshot() (snapshot, error) {
	s := snapshot{at: l.now(), answered: l.tally.answered.Load(), stored: l.tally.stored.Load(), dropped: l.tally.dropped.Load(), failed: l.tally.failed.Load(), generator: ownCPU()}
	if l.server == nil {
		return s, nil
	}
	u, err := l.server.usage()
	if err != nil {
		return s, fmt.Errorf("cannot account the server: %w", err)
	}
	s.server = u
	return s, nil
}

// report tells of the progress.
func (l *load) report(answered int64) {
	if l.progress == nil {
		return
	}
	now := l.now()
	p := Progress{Elapsed: now, WarmingUp: now < l.opens, Requests: answered, P99: l.tally.accepted.quantile(0.99)}
	if l.server != nil {
		if u, err := l.server.usage(); err == nil { // the window's own reading reports what is wrong
			p.Server = &u
		}
	}
	l.progress(p)
}

// Result is what one load found. Counts and rates are those of the window, without the warm-up.
type Result struct {
	Target            string           `json:"target"`
	Seconds           float64          `json:"seconds"`
	Connections       int              `json:"connections"`
	RecordsPerRequest int              `json:"records_per_request"`
	OfferedPerSecond  float64          `json:"offered_requests_per_second,omitempty"` // the rate asked for
	RequestsPerSecond float64          `json:"requests_per_second"`                   // answered, whatever the status
	Goodput           float64          `json:"goodput_records_per_second"`            // stored or accepted
	Dropped           int64            `json:"dropped_records,omitempty"`             // by modules, in the window
	Failed            int64            `json:"failed_records,omitempty"`              // in answers of any status, in the window
	Statuses          map[string]int64 `json:"statuses"`
	Errors            map[string]int64 `json:"errors,omitempty"`     // failed exchanges since the start
	Unsent            int64            `json:"unsent,omitempty"`     // due, but no connection was free
	Unanswered        int64            `json:"unanswered,omitempty"` // sent, but not answered in time
	Latency           *Latency         `json:"latency,omitempty"`    // of requests answered 200, 202 or 207, and of the unsent
	RefusedLatency    *Latency         `json:"refused_latency,omitempty"`
	Pacing            *Latency         `json:"pacing,omitempty"` // how late the generator itself was at a fixed rate
	Server            *ServerUse       `json:"server,omitempty"`
	GeneratorCPU      float64          `json:"generator_cpu_per_request_us"`
}

// ServerUse is what the server used in the window.
type ServerUse struct {
	CPUPerRequest float64 `json:"cpu_per_request_us"`                // of any status
	CPUPerRecord  float64 `json:"cpu_per_record_us,omitempty"`       // that was stored or accepted
	Cores         float64 `json:"cores"`                             // CPU over time
	RSS           int64   `json:"rss_bytes,omitempty"`               // at the end of the window
	PeakRSS       int64   `json:"peak_rss_bytes,omitempty"`          // since the server started
	Allocations   float64 `json:"allocations_per_request,omitempty"` // on the heap, of the whole process; 0 when unknown
	Source        string  `json:"source"`                            // where the figures come from
}

func (l *load) result(first, last snapshot) *Result {
	seconds := (last.at - first.at).Seconds()
	answered, stored := last.answered-first.answered, last.stored-first.stored
	r := &Result{
		Target: l.base.String(), Seconds: seconds, Connections: l.connections, RecordsPerRequest: l.shape.records,
		OfferedPerSecond: l.rate, RequestsPerSecond: float64(answered) / seconds,
		Goodput: float64(stored) / seconds, Dropped: last.dropped - first.dropped, Failed: last.failed - first.failed,
		Statuses: l.tally.statusCounts(), Errors: l.tally.errorCounts(),
		Unsent: l.tally.unsent.Load(), Unanswered: l.tally.unanswered.Load(),
		Latency: l.tally.accepted.latency(), RefusedLatency: l.tally.refused.latency(), Pacing: l.tally.pacing.latency(),
		GeneratorCPU: per(last.generator-first.generator, answered),
	}
	if l.server != nil {
		cpu := last.server.cpu - first.server.cpu
		r.Server = &ServerUse{
			CPUPerRequest: per(cpu, answered), CPUPerRecord: per(cpu, stored),
			Cores: cpu.Seconds() / seconds, RSS: last.server.rss, PeakRSS: last.server.peak, Source: l.server.source(),
		}
		if answered > 0 {
			r.Server.Allocations = float64(last.server.news-first.server.news) / float64(answered)
		}
	}
	return r
}

// per is microseconds per piece, 0 when there is none.
func per(d time.Duration, n int64) float64 {
	if n == 0 {
		return 0
	}
	return micros(d) / float64(n)
}

// Answered is how many requests of the window were answered with any status, ok how many with 200 or 202: all records stored.
func (r *Result) Answered() (answered, ok int64) {
	for status, n := range r.Statuses {
		answered += n
		if status == "200" || status == "202" {
			ok += n
		}
	}
	return answered, ok
}
