package gateway

import (
	"time"

	"sluice/gateway/metrics"
)

// idempotencySnapshot is what the metrics show of requests with an Idempotency-Key now.
func (g *Gateway) idempotencySnapshot() metrics.Idempotency {
	t := g.ingest.Idempotency()
	st := &t.Stats
	inProgress, answers, used := t.Size(time.Now())
	return metrics.Idempotency{
		Executed: st.Claimed.Load(), Replayed: st.Replayed.Load(), Reused: st.Reused.Load(), InUse: st.TimedOut.Load(),
		Overloaded: st.Full.Load(), Waited: st.Waited.Load(), Forgotten: st.Forgotten.Load(), Summarised: st.Summarised.Load(),
		Evicted: st.Evicted.Load(), InProgress: int64(inProgress), Answers: int64(answers), Bytes: used,
	}
}
