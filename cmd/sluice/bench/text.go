package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// text is a report that can be printed for people.
type text interface{ text(w io.Writer) }

// print writes a report to stdout, as JSON or as text.
func (b *bench) print(report text) error {
	if b.json {
		e := json.NewEncoder(b.out)
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	w := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', 0)
	report.text(w)
	return w.Flush()
}

// String is one line of progress.
func (p Progress) String() string {
	phase := "        "
	if p.WarmingUp {
		phase = "warm-up "
	}
	s := fmt.Sprintf("%s%4.0fs  %8d requests/s  p99 %s", phase, p.Elapsed.Seconds(), p.Requests, p.P99.Round(10*time.Microsecond))
	if p.Server != nil && p.Server.rss > 0 {
		s += "  RSS " + bytesText(float64(p.Server.rss))
	}
	return s
}

func (e Environment) text(w io.Writer) {
	fmt.Fprintf(w, "environment\t%s %s, %d cores (GOMAXPROCS %d) %s\n", e.Go, e.System, e.Cores, e.MaxProcs, e.CPU)
	var libs []string
	for _, path := range slices.Sorted(maps.Keys(e.Libraries)) {
		libs = append(libs, path[strings.LastIndexByte(path, '/')+1:]+" "+e.Libraries[path])
	}
	if e.Revision != "" {
		libs = append(libs, "sluice "+e.Revision)
	}
	fmt.Fprintf(w, "versions\t%s\n", strings.Join(libs, ", "))
}

func (s Settings) text(w io.Writer) {
	rate := "as many requests as go"
	if s.Rate > 0 {
		rate = fmt.Sprintf("%g requests/s", s.Rate)
	}
	fmt.Fprintf(w, "load\t%d connections, %s, %gs after %gs of warm-up, %d round(s)\n",
		s.Connections, rate, s.Seconds, s.WarmUp, s.Rounds)
	fmt.Fprintf(w, "records\t%d bytes, %d per request, dialect %s, ack %s, %d keys\n", s.Size, s.Records, s.Dialect, s.Ack, s.Keys)
	if k := s.Kafka; k != nil {
		fmt.Fprintf(w, "producers\tacks=%s enable.idempotence=%t linger.ms=%d batch.size=%d max.request.size=%d\n",
			k.Acks, k.Idempotence, k.LingerMs, k.BatchSize, k.MaxRequestSize)
		fmt.Fprintf(w, "\tcompression.type=%s buffer.memory=%d, %d partitions at %s\n",
			k.Compression, k.memory(), k.Partitions, k.Bootstrap)
		if k.BrokerRate > 0 {
			fmt.Fprintf(w, "\ta broker that takes %s/s\n", bytesText(float64(k.BrokerRate)))
		}
		for _, line := range k.TopicSettings {
			fmt.Fprintf(w, "\t%s\n", line)
		}
	}
}

func (r *Report) text(w io.Writer) {
	r.Environment.text(w)
	r.Settings.text(w)
	r.Result.text(w)
}

func (r *Result) text(w io.Writer) {
	answered, ok := r.Answered()
	fmt.Fprintf(w, "target\t%s\n", r.Target)
	fmt.Fprintf(w, "answered\t%d in %.2fs: %.0f requests/s; %d stored: %.0f records/s\n",
		answered, r.Seconds, r.RequestsPerSecond, ok, r.Goodput)
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		fmt.Fprintf(w, "  %s\t%d\n", status, r.Statuses[status])
	}
	if r.Failed > 0 || r.Dropped > 0 {
		fmt.Fprintf(w, "  records\t%d failed, %d dropped by modules\n", r.Failed, r.Dropped)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(w, "  error\t%d x %s\n", r.Errors[kind], kind)
	}
	if r.Unsent > 0 {
		fmt.Fprintf(w, "  unsent\t%d requests were due, but no connection was free; their age is in the latency\n", r.Unsent)
	}
	if r.Unanswered > 0 {
		fmt.Fprintf(w, "  unanswered\t%d at the end\n", r.Unanswered)
	}
	r.Latency.text(w, "latency")
	r.RefusedLatency.text(w, "latency of refusals")
	r.Pacing.text(w, "generator late by")
	if u := r.Server; u != nil {
		fmt.Fprintf(w, "server\t%.2f µs CPU per request, %.3f µs per record stored; %.2f cores (%s)\n",
			u.CPUPerRequest, u.CPUPerRecord, u.Cores, u.Source)
		if u.Allocations > 0 {
			fmt.Fprintf(w, "\t%.1f allocations per request\n", u.Allocations)
		}
		fmt.Fprintf(w, "\tRSS %s, at most %s\n", bytesText(float64(u.RSS)), bytesText(float64(u.PeakRSS)))
	}
	fmt.Fprintf(w, "generator\t%.2f µs CPU per request\n", r.GeneratorCPU)
}

func (l *Latency) text(w io.Writer, title string) {
	if l == nil {
		return
	}
	fmt.Fprintf(w, "%s\tp50 %s  p90 %s  p99 %s  p99.9 %s  max %s  mean %s\n", title,
		microsText(l.P50), microsText(l.P90), microsText(l.P99), microsText(l.P999), microsText(l.Max), microsText(l.Mean))
}

func microsText(us float64) string {
	d := time.Duration(us * 1e3)
	switch {
	case d < time.Millisecond:
		return d.Round(100 * time.Nanosecond).String()
	case d < time.Second:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(10 * time.Millisecond).String()
	}
}

func bytesText(n float64) string {
	switch {
	case n == 0:
		return "unknown"
	case n < 1<<20 && n > -1<<20:
		return fmt.Sprintf("%.1f KiB", n/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", n/(1<<20))
	}
}
