package gateway

import (
	"slices"

	"sluice/gateway/spool"
)

// spoolTrack is which entries of a spool are done: all before next, and some ranges ahead of it.
type spoolTrack struct {
	next  uint64
	ahead []spool.Range
	count uint64 // of the entries that are done
}

func newSpoolTrack(p spool.Position) *spoolTrack {
	t := &spoolTrack{next: p.Next, ahead: slices.Clone(p.Ahead), count: p.Next}
	for _, r := range t.ahead {
		t.count += r.To - r.From
	}
	return t
}

// find is where in ahead a range that ends behind seq is, or would be.
func (t *spoolTrack) find(seq uint64) int {
	i, _ := slices.BinarySearchFunc(t.ahead, seq, func(r spool.Range, seq uint64) int {
		if r.To <= seq {
			return -1
		}
		return 1
	})
	return i
}

func (t *spoolTrack) isDone(seq uint64) bool {
	if seq < t.next {
		return true
	}
	i := t.find(seq)
	return i < len(t.ahead) && t.ahead[i].From <= seq
}

// done marks the entries from from up to, not including, to.
func (t *spoolTrack) done(from, to uint64) {
	for from = max(from, t.next); from < to; {
		i := t.find(from)
		if i < len(t.ahead) && t.ahead[i].From <= from { // up to where the range ends they are done already
			from = t.ahead[i].To
			continue
		}
		end := to
		if i < len(t.ahead) {
			end = min(end, t.ahead[i].From)
		}
		t.insert(i, spool.Range{From: from, To: end})
		t.count += end - from
		from = end
	}
	if len(t.ahead) > 0 && t.ahead[0].From == t.next {
		t.next = t.ahead[0].To
		t.ahead = slices.Delete(t.ahead, 0, 1)
	}
}

// insert puts a range before that at i, or makes it one with those that it touches.
func (t *spoolTrack) insert(i int, r spool.Range) {
	left := i > 0 && t.ahead[i-1].To == r.From
	right := i < len(t.ahead) && t.ahead[i].From == r.To
	switch {
	case left && right:
		t.ahead[i-1].To = t.ahead[i].To
		t.ahead = slices.Delete(t.ahead, i, i+1)
	case left:
		t.ahead[i-1].To = r.To
	case right:
		t.ahead[i].From = r.From
	default:
		t.ahead = slices.Insert(t.ahead, i, r)
	}
}

func (t *spoolTrack) position() spool.Position {
	return spool.Position{Next: t.next, Ahead: t.ahead}
}
