package realtest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is records sent to one topic over several connections, each of which waits for its answer before it sends the next.
type load struct {
	topic, ack  string
	connections int
	every       time.Duration // at most so often per connection; 0 is without pause
	size        int           // of a value, in bytes

	wg      sync.WaitGroup
	ledgers []*ledger
}

// start sends until ctx ends. Keys begin with prefix, which makes them unique to this load.
func (l *load) start(t *testing.T, ctx context.Context, prefix, addr string) { //nolint:revive // the test comes first
	t.Helper()
	url := recordsURL(addr, l.topic, l.ack)
	value := strings.Repeat("v", l.size)
	for i := range l.connections {
		own := &ledger{}
		l.ledgers = append(l.ledgers, own)
		conn := newConnection(t)
		l.wg.Go(func() {
			pace := newPace(l.every)
			defer pace.stop()
			for n := 0; pace.next(ctx); n++ {
				key := fmt.Sprintf("%s-%d-%d", prefix, i, n)
				own.add(key, conn.post(t.Context(), url, value, "X-Kafka-Key: "+key))
			}
		})
	}
}

// wait waits for the last answers, after the load was stopped.
func (l *load) wait() *ledger {
	l.wg.Wait()
	return merge(l.ledgers)
}

// pace spaces requests.
type pace struct{ ticker *time.Ticker }

func newPace(every time.Duration) pace {
	if every == 0 {
		return pace{}
	}
	return pace{time.NewTicker(every)}
}

// next waits for the time of the next request; it is false once ctx has ended.
func (p pace) next(ctx context.Context) bool {
	if p.ticker == nil {
		return ctx.Err() == nil
	}
	select {
	case <-p.ticker.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (p pace) stop() {
	if p.ticker != nil {
		p.ticker.Stop()
	}
}
