package gateway

import (
	"context"
	"fmt"
)

// stop ends the gateway. The order matters, and is this:
//
//  1. readiness goes off, and new records are refused
//  2. records that wait for room are refused; spools send what they have, for up to three quarters of shutdown.timeout.ms, and then nothing
//     more is taken out of them
//  3. what was accepted is flushed, within the rest of shutdown.timeout.ms, and what becomes a dead letter then; requests that wait for it
//     get their answers
//  4. Kafka clients close: what is left is answered as unknown
//  5. the data plane closes, and spools with what is left in them
//  6. interceptors are told of the last acknowledgements, and guests end
//  7. the admin plane closes, and the embedded broker last, since others may still read from it
func (g *Gateway) stop() error {
	timeout := g.cfg.Load().ShutdownTimeout
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	defer g.giveUp()

	g.stopping.Store(true)
	g.reloading.Lock()   // a reload that is under way ends first, and none begins any more
	g.reloading.Unlock() //nolint:staticcheck // nothing is to be done in between
	g.ingest.Drain()
	topics := g.topics.Load()
	letters := topics.deadLetterTopics() // they take records until no other topic does
	topics.each(func(e *topicEntry) {
		if !letters[e.cfg.Name] {
			e.out.Close()
		}
	})

	g.spools.drainAll(ctx, timeout)
	g.spools.haltAll()

	open := g.cluster.Open()
	g.log.Info("draining", "records", open, "shutdown.timeout.ms", timeout.Milliseconds())
	defer context.AfterFunc(ctx, g.giveUp)()
	_ = g.cluster.Flush(ctx) // what is left open says it
	topics.awaitDeadLetters(ctx)
	topics.each(func(e *topicEntry) { e.out.Close() })
	g.background.Wait()
	spooled := g.spools.underWay() // which are on disk
	left := g.cluster.Open() - spooled

	g.cluster.Close()
	if err := g.ingest.Shutdown(ctx); err != nil {
		g.log.Warn("connections were cut", "error", err)
	}
	_ = g.httpLn.Close() // fasthttp closes it unless Serve has not begun, which would then never end
	g.spools.close()
	topics.each((*topicEntry).close)
	_ = g.admin.Shutdown(ctx) // scrapes may be cut
	if err := g.closeModules(); err != nil {
		g.log.Warn("the module host did not close cleanly", "error", err)
	}
	if err := g.closeSchemas(); err != nil {
		g.log.Warn("the embedded schema registry did not close cleanly", "error", err)
	}
	if g.broker != nil {
		if err := g.broker.Close(); err != nil {
			g.log.Warn("the embedded broker did not close cleanly", "error", err)
		}
	}
	if spooled > 0 {
		g.log.Warn("records of spools were sent and not answered in time: they are sent again after the next start, and may be stored twice",
			"records", spooled, "setting", "shutdown.timeout.ms")
	}
	if left > 0 {
		g.log.Error("stopped with records whose outcome is unknown", "flushed", max(open-left-spooled, 0), "unflushed", left, "setting", "shutdown.timeout.ms")
		return fmt.Errorf("%d records were not acknowledged within shutdown.timeout.ms = %d", left, timeout.Milliseconds())
	}
	g.log.Info("stopped", "flushed", max(open-spooled, 0), "unflushed", 0)
	return nil
}
