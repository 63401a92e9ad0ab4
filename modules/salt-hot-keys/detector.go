package main

import (
	"strconv"

	sluice "sluice/guest-sdk/go"
)

const (
	// maxTracked bounds how many keys are counted. A key that is hot comes early and often, so that it hardly ever finds no
	// room; if it does, it gets its chance in the next window.
	maxTracked = 4096
	maxKey     = 256 // bytes; longer keys are not counted, so that the memory is bounded, too
)

// detector finds keys that make up a large part of the records. It counts in windows of so many records: a key is hot from
// the record with which it reaches the threshold until the end of the next window, and longer if it reaches it again.
type detector struct {
	window    int // records; 0 = nothing is ever found hot
	threshold int // records of one key within a window

	seen    int
	tallies map[string]*tally
}

type tally struct {
	turn

	n   int // records in this window
	hot bool
}

// see counts a record of a key and returns the key's turn if it is hot.
func (d *detector) see(key []byte) *turn {
	if d.window == 0 {
		return nil
	}
	if d.seen++; d.seen > d.window {
		d.turnOver()
	}
	t := d.tallies[string(key)]
	if t == nil {
		if len(d.tallies) == maxTracked || len(key) > maxKey {
			return nil
		}
		t = new(tally)
		d.tallies[string(key)] = t
	}
	if t.n++; t.n == d.threshold && !t.hot {
		t.hot = true
		sluice.Info("hot: key " + string(key) + ", " + strconv.Itoa(t.n) + " of the last " + strconv.Itoa(d.seen) + " records")
	}
	if !t.hot {
		return nil
	}
	return &t.turn
}

// turnOver begins a window: keys that reached the threshold in the last one stay hot, all others are forgotten.
func (d *detector) turnOver() {
	d.seen = 1
	for key, t := range d.tallies {
		if t.n >= d.threshold {
			t.n = 0
			continue
		}
		if t.hot {
			sluice.Info("no longer hot: key " + key)
		}
		delete(d.tallies, key)
	}
}
