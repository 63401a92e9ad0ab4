package wasmhost

import (
	"context"
	"math/rand/v2"
	"time"

	"sluice/guest-sdk/abi"
)

// callContext is the context of all calls of one instance. It is flat, because wazero asks it for a value at every call,
// and it tells host functions whose call it is.
type callContext struct {
	context.Context //nolint:containedctx // context.Background: calls are ended by the watchdog, not by a context

	guest *Guest
	in    *instance
	until time.Time // while the instance is being made, which the watchdog does not see: when that has to be done
	lent  *loan     // the memory of the instance
	batch []Record  // of the call under way; nil when it has none
	now   int64     // Unix milliseconds
	owed  int       // units of fuel that are not taken yet; a call begins without any
	mono  int64     // nanoseconds that the guest's monotonic clock has shown
	rand  *rand.ChaCha8
	line  [2][]byte // what fd 1 and 2 wrote of an unfinished line

	refusal string    // the first line of level error in a call
	since   time.Time // of the end of the last call
	pull    *puller
	acks    int // how many on_ack is told of, while it is
	refused int // how many of them it called record_error for
}

// Value answers without a search: wazero asks for the allocator of memory while the instance is being made, and for nothing
// that is there in a call.
func (c *callContext) Value(key any) any {
	if c.until.IsZero() {
		return nil
	}
	return c.lent.Value(key)
}

// ended says that the guest has had its time. A guest that does little but call the host would notice only at the end of
// its slice of fuel, in which the host may do a lot for it.
func (c *callContext) ended() bool {
	return c.in.killed.Load() || !c.until.IsZero() && time.Now().After(c.until)
}

// What the host does for a guest in a call, beside the flat price of a call, in units of fuel. It depends on nothing but what the
// guest asked for, so that the same work always has the same price.
const (
	perRandom = 2   // bytes for a unit
	perCopied = 4   // the same of what is copied, there and back, and looked through
	perText   = 1   // the same of what is read as text
	unitsChar = 16  // of a byte of a reason, each of which is made readable; of lines only few are
	unitsLine = 150 // of a line in fd_write, which is a call of log
	unitsPart = 20  // of a part that fd_write or poll_oneoff has to look up
)

// leastCharge is how many units are taken at once: what small records come to is not worth the nanoseconds that taking fuel costs.
const leastCharge = 256

// charge takes units of fuel, or notes them down until there are some. The guest notices when the host function returns.
func (c *callContext) charge(units int) {
	if c.owed += units; c.owed < leastCharge {
		return
	}
	if f := c.in.fuel; f != nil {
		f.Set(f.Get() - uint64(c.owed))
	}
	c.owed = 0
}

// log takes a line of the guest. Cutting it and counting it against the limit happen here, for all its origins.
func (c *callContext) log(level int, text []byte) {
	g, now := c.guest, time.Now()
	kept, refusal := g.lines.take(now), level >= abi.LevelError && c.refusal == ""
	if !kept {
		g.Stats.LinesDropped.Add(1)
		if !refusal {
			return
		}
	}
	if len(text) > abi.MaxLine {
		text = text[:abi.MaxLine]
	}
	s := readable(text)
	if refusal {
		c.refusal = s
	}
	if !kept {
		return
	}
	g.settings.Log.Add(Line{Time: now, Level: level, Guest: g.settings.Name, Version: g.settings.Version, Text: s})
}

// write is fd_write: whole lines go to the log.
func (c *callContext) write(fd int, p []byte) {
	level := abi.LevelInfo
	if fd == 2 {
		level = abi.LevelError
	}
	c.charge(len(p) / perText)
	buf := &c.line[fd-1]
	for _, b := range p {
		if b == '\n' {
			c.charge(unitsLine)
			c.log(level, *buf)
			*buf = (*buf)[:0]
			continue
		}
		if len(*buf) < abi.MaxLine {
			*buf = append(*buf, b)
		}
	}
}
