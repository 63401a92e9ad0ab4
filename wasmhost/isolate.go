package wasmhost

import "fmt"

// What a batch may cost on which the guest fails: so many calls, enough to find a good dozen of bad records among 1,024
// without any help of the guest and far more of those that the guest points at, and failed calls that took as much fuel as
// so many calls of the largest size. A guest that never ends would else take its time over and over.
const (
	maxRetries  = 256
	maxLongRuns = 8
)

// isolation finds the records of a batch on which the guest fails, so that only they fail. Each failed call costs an
// instance; all calls go to new ones or to such as did not fail.
type isolation struct {
	guest    *Guest
	hook     Hook
	batch    *Batch
	calls    int
	failures int
	failed   int     // records
	long     float64 // how many failed calls of the largest size those were that failed
	over     string  // why there are no more calls
}

// isolate goes over the records of b again, after a call with all of them failed.
func (g *Guest) isolate(hook Hook, b *Batch, f *failure, probe bool) {
	s := isolation{guest: g, hook: hook, batch: b}
	s.note(f)
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
	g := s.guest
	var in *instance
	if s.over == "" {
		if in = g.send.take(g.host.limits.AcquireTimeout); in == nil {
			s.over = g.send.shortage()
		}
	}
	if in == nil {
		s.failed += len(records)
		g.skip(s.hook, records, NoInstance, s.over)
		return
	}
	s.calls++
	f := g.attempt(s.hook, in, s.batch, records)
	if f != nil {
		s.note(f)
	}
	if s.calls == maxRetries || s.long >= maxLongRuns {
		s.over = fmt.Sprintf("module %q failed on too many records of this batch to try all of them", g.settings.Name)
	}
	if f != nil {
		s.split(records, f)
	}
}

// note counts a failed call. One that took too long did so in ways that fuel does not show.
func (s *isolation) note(f *failure) {
	s.failures++
	if f.cause == OutOfTime {
		s.long++
		return
	}
	s.long += float64(f.used) / float64(s.guest.host.limits.FuelMax)
}

// reset takes back what a failed call left.
func reset(records []Record) {
	for i := range records {
		r := &records[i]
		r.Verdict, r.Cause, r.Reason, r.Changed, r.Route = Passed, NoCause, "", 0, nil
	}
}
