package gateway

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	// memoryHeadroom is what the process may hold beside what is accounted for: code, stacks, and what is being compressed
	// and sent. It stays under the 64 MiB that we promise, because not all of a process's memory is Go's.
	memoryHeadroom = 56 << 20
	// connectionMemory is what an open connection holds beside its read buffer: write buffer, goroutine, request.
	connectionMemory = 8 << 10
	// limitStep is how far the limit is off before it is set again; setting it stops the world for a moment.
	limitStep     = 4 << 20
	limitInterval = 250 * time.Millisecond
)

// LimitMemory keeps Go's memory limit at what the gateway may hold now, until ctx ends, so that garbage does not pile up on
// top of full buffers. Connections and bodies being received count as they are, not as they may become: a limit that has
// room for ten thousand connections would not hold for ten.
func (g *Gateway) LimitMemory(ctx context.Context) {
	tick := time.NewTicker(limitInterval)
	defer tick.Stop()
	var last int64
	for {
		if now := g.memoryBudget(); now < last-limitStep || now > last {
			last = now + limitStep
			debug.SetMemoryLimit(last)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// memoryBudget is what the gateway may hold now, in bytes.
func (g *Gateway) memoryBudget() int64 {
	total := int64(memoryHeadroom) + g.ingest.ReceiveMemory()
	total += int64(g.ingest.Connections()) * int64(g.cfg.Load().HTTP.ReadBufferBytes+connectionMemory)
	total += g.ingest.Idempotency().Bytes()
	total += g.host.Memory() * 5 / 4 // linear memory is on Go's heap, with room to grow in place
	for _, q := range g.spools.all() {
		size, _, _ := q.out.Load().Budget()
		total += size
	}
	g.topics.Load().each(func(e *topicEntry) {
		size, _, _ := e.out.Budget()
		total += size
		if l := e.topic.letters; l != nil {
			total += l.held.Load()
		}
	})
	return total
}
