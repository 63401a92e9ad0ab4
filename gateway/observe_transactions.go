package gateway

import (
	"time"

	"sluice/gateway/metrics"
)

// transactionsSnapshot is what the metrics show of transactions now.
func (g *Gateway) transactionsSnapshot() metrics.Transactions {
	st := &g.transactions.Stats
	free, of := g.transactions.Free()
	busy := int(st.Busy.Load())
	return metrics.Transactions{
		Committed: st.Committed.Load(), Unknown: st.Unknown.Load(), FencedOff: st.Fenced.Load(), Refused: st.Refused.Load(),
		Rejected: st.Rejected.Load(), Failed: st.Failed.Load(), NoClient: st.NoClient.Load(), Draining: st.Draining.Load(),
		Run: st.Ran.Load(), Time: time.Duration(st.Nanos.Load()), Waiting: st.Waiting.Load(),
		Busy: int64(busy), Free: int64(free), Opening: int64(max(of-free-busy, 0)), Fenced: g.transactions.Fenced(),
	}
}
