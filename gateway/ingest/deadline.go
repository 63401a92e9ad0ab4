package ingest

import "time"

// deadline moves the deadline of a connection only when it has to. fasthttp sets three for every request, and each one
// moves a timer of the runtime; yet a client in a steady stream never comes near any of them. So a deadline is noted when
// it is set, and armed when somebody is about to wait. One that is armed already and fires at most slack late stays.
type deadline struct {
	wanted, armed time.Time
	slack         time.Duration
}

// arm calls set if the armed deadline will not do. A deadline never fires early.
func (d *deadline) arm(set func(time.Time) error) error {
	if d.wanted.IsZero() {
		if d.armed.IsZero() {
			return nil
		}
		d.armed = time.Time{}
		return set(d.armed)
	}
	if !d.armed.Before(d.wanted) && d.armed.Sub(d.wanted) <= d.slack {
		return nil
	}
	d.armed = d.wanted.Add(d.slack)
	return set(d.armed)
}

// slackOf is how late the given timeouts may fire: a sixteenth of the shortest that is set.
func slackOf(timeouts ...time.Duration) time.Duration {
	least := time.Duration(0)
	for _, t := range timeouts {
		if t > 0 && (least == 0 || t < least) {
			least = t
		}
	}
	return least / 16
}
