package drill

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"
)

// wrongClocks says whether the senders' clocks are wrong.
type wrongClocks struct{ atomic.Bool }

// refusedAhead is further ahead than the brokers take (message.timestamp.after.max.ms, an hour by default).
const refusedAhead = 48 * time.Hour

// timestamp is what a sender with a wrong clock puts into X-Kafka-Timestamp. Kafka takes any time of the past, and of the next
// hour; refused says whether it may be one that the brokers do not take.
func timestamp(at time.Time, refused bool) string {
	ahead := []time.Duration{-30 * 24 * time.Hour, -time.Minute, 30 * time.Minute, time.Duration(1 - at.UnixNano())}
	if refused {
		ahead = append(ahead, refusedAhead)
	}
	return strconv.FormatInt(at.Add(ahead[rand.IntN(len(ahead))]).UnixMilli(), 10)
}

func senderClocks(_ context.Context, s *stage) (end, error) {
	s.clocks.Store(true)
	return func(context.Context) error { s.clocks.Store(false); return nil }, nil
}
