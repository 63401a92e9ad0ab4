package wasmhost

import (
	"fmt"
	"time"
)

// What a batch may cost on which the guest fails: so many calls, enough to find a good dozen of bad records among 1,024
// without any help of the guest and far more of those that the guest points at. Together they may use as much fuel as
// maxLongRuns calls of the largest size (FuelMax), and from the first failure to the last call as much time as maxLongRuns
// calls may take and wait for an instance (CallTimeout and AcquireTimeout). A guest that never ends would else take its time
// over and over: it gets no more than maxLongRuns/leastRun calls. Records that are not tried for this are Bypassed, with the
// reason.
const (
	maxRetries  = 256
	maxLongRuns = 8
	leastRun    = 0.25 // how much of a long run a call is that ran out of fuel or time, however little it was given
)

// isolation finds the records of a batch on which the guest fails, so that only they fail. Each failed call costs an
// instance; all calls go to new ones or to such as did not fail.
type isolation struct {
	guest    *Guest
	hook     Hook
	batch    *Batch
	calls    int // with the first, of all records
	failures int
	failed   int       // records
	long     float64   // how many calls of the largest size all calls together were
	until    time.Time // when no more calls begin
	over     string    // why there are no more calls
}

// isolate goes over the records of b again, after a call with all of them failed that used so much fuel.
func (g *Guest) isolate(hook Hook, b *Batch, f *failure, used int64, probe bool) {
	s := isolation{guest: g, hook: hook, batch: b, until: time.Now().Add(maxLongRuns * g.host.limits.retryTime())}
	s.note(f, used)
	if len(b.Records) == 1 && f.worn { // an earlier record may have broken the instance
		reset(b.Records)
		s.try(b.Records)
	} else {
		s.split(b.Records, f)
	}
	g.breaker.note(probe, len(b.Records), s.failed, s.failures)
}

// split tries records again in parts, after a call with all of them failed as f says. A record that failed alone is to
// blame: it was in a call before that failed on another instance. Order does not matter to the guest, but parts are kept in
// the order of the records anyway.
func (s *isolation) split(records []Record, f *failure) {
	reset(records)
	switch n := len(records); {
	case n == 1:
		r := &records[0]
		r.Verdict, r.Cause, r.Reason = Failed, f.cause, f.text
		s.failed++
	case f.at >= 0 && f.at < n: // the guest says whom to suspect
		s.try(records[:f.at])
		s.try(records[f.at : f.at+1])
		s.try(records[f.at+1:])
	default:
		s.try(records[:n/2])
		s.try(records[n/2:])
	}
}

func (s *isolation) try(records []Record) {
	if len(records) == 0 {
		return
	}
	in := s.take()
	if in == nil {
		s.failed += len(records)
		s.guest.skip(s.hook, records, NoInstance, s.over)
		return
	}
	used, f := s.guest.attempt(s.hook, in, s.batch, records)
	s.note(f, used)
	if f != nil {
		s.split(records, f)
	}
}

// take returns an instance for the next call, or nil with the reason in over.
func (s *isolation) take() *instance {
	l := &s.guest.host.limits
	switch {
	case s.over != "":
		return nil
	case s.calls > maxRetries:
		s.end("no more than %d calls are made again for one", maxRetries)
		return nil
	case s.long >= maxLongRuns:
		s.end("no more fuel goes into one than %d times wasm.call.fuel.max = %d", maxLongRuns, l.FuelMax)
		return nil
	}
	if left := time.Until(s.until); left > 0 {
		if in := s.guest.send.take(min(l.AcquireTimeout, left)); in != nil {
			return in
		}
	}
	if s.over = s.guest.send.shortage(); time.Now().After(s.until) {
		s.end("no more time goes into one than %d times wasm.call.timeout.ms and wasm.acquire.timeout.ms, %v", maxLongRuns, l.retryTime())
	}
	return nil
}

func (s *isolation) end(format string, args ...any) {
	s.over = fmt.Sprintf("it was not tried: module %q failed in %d of %d calls with this batch, and %s",
		s.guest.settings.Name, s.failures, s.calls, fmt.Sprintf(format, args...))
}

// note counts a call. One that took too long did so in ways that fuel does not show.
func (s *isolation) note(f *failure, used int64) {
	s.calls++
	run := float64(used) / float64(s.guest.host.limits.FuelMax)
	if f != nil {
		s.failures++
		switch f.cause {
		case OutOfTime:
			run = 1
		case OutOfFuel:
			run = max(run, leastRun)
		default:
		}
	}
	s.long += run
}

// reset takes back what a failed call left.
func reset(records []Record) {
	for i := range records {
		r := &records[i]
		r.Verdict, r.Cause, r.Reason, r.Changed, r.Route = Passed, NoCause, "", 0, nil
	}
}
