package guest

import (
	"sync"

	"sluice/gateway/record"
	"sluice/wasmhost"
)

// note is what a binding keeps of a batch from OnSend to OnAck: which guest saw which record, and the guest's cookies.
type note struct {
	home   *notes
	seen   []sight
	guests []*wasmhost.Guest // each is in use until the note is freed
}

// sight is that a guest saw a record.
type sight struct {
	record int32
	guest  int32 // index into guests
	cookie uint64
}

type notes struct{ pool sync.Pool }

// note starts the note of b, if any of its guests wants to see acknowledgements.
func (m *Bound) note(b *record.Batch, r *rollout) *note {
	wants := r.active.Module.Kinds.OnAck || r.candidate != nil && !r.shadow && r.candidate.Module.Kinds.OnAck
	if !wants {
		return nil
	}
	n, ok := m.notes.pool.Get().(*note)
	if !ok {
		n = &note{home: &m.notes}
	}
	b.SetNote(m.Place, n)
	return n
}

// keep notes what v saw.
func (n *note) keep(v version, c *call) {
	if n == nil || !v.guest.Module.Kinds.OnAck {
		return
	}
	v.guest.Hold() // it may have been given up since the batch began
	n.guests = append(n.guests, v.guest)
	for k := range c.Records {
		r := &c.Records[k]
		if r.Verdict == wasmhost.Passed || r.Cause == wasmhost.RecordError || r.Cause == wasmhost.RouteDenied {
			n.seen = append(n.seen, sight{record: c.index[k], guest: int32(len(n.guests) - 1), cookie: r.Cookie})
		}
	}
}

// Free implements record.Note.
func (n *note) Free() {
	for i, g := range n.guests {
		g.Done()
		n.guests[i] = nil
	}
	n.guests, n.seen = n.guests[:0], n.seen[:0]
	n.home.pool.Put(n)
}

// Adopt makes a batch that comes out of a spool one whose records the active guest saw. Its cookies did not survive, so that on_ack
// is told with cookie 0.
func (m *Bound) Adopt(b *record.Batch) {
	r := m.use()
	if r == nil {
		return
	}
	defer r.done()
	if !r.active.Module.Kinds.OnAck {
		return
	}
	n := m.note(b, r)
	r.active.Hold() // it may be given up before the batch ends
	n.guests = append(n.guests, r.active)
	for i := range b.Records {
		n.seen = append(n.seen, sight{record: int32(i)})
	}
}
