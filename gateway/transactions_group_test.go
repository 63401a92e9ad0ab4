package gateway

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const shared = "\n[transactions]\ntransactional.id.prefix = \"t\"\ntransactional.id.pool.size = 2\ntransaction.linger.ms = 20\ntransaction.max.block.ms = 60000\n"

// Requests that share a Kafka transaction are answered as if each had its own: one that fails takes no other with it.
func TestTransactionsAreCommittedTogether(t *testing.T) {
	for name, spoilt := range map[string]bool{"all good": false, "some fail": true} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			refused := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "other", Partitions: []int32{2}, Err: kerr.InvalidRecord, Count: -1})
			r := serve(t, c.ListenAddrs(), "[topics.orders]\n[topics.other]\n"+shared)
			r.transaction("", to("orders", "first")+to("other", "first", `"partition":0`)).want(t, 200, "")
			const senders, each = 16, 8
			want := []string{"first"}
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range senders {
				wg.Go(func() {
					for n := range each {
						value := fmt.Sprintf("%d-%d", i, n)
						body, status := to("orders", value)+to("other", value, `"partition":0`), 200
						if spoilt && i == 0 {
							body, status = body+to("other", "never", `"partition":2`), 422
						}
						o, err := r.tryTransaction("", body)
						if err != nil || o.status != status || status == 422 && (o.Index == nil || *o.Index != 2) {
							t.Errorf("%s: %d %.300s %v", value, o.status, o.body, err)
						}
						for k, at := range o.Records {
							if want := []string{"orders", "other"}[k]; at.Topic != want {
								t.Errorf("%s: %s", value, o.body)
							}
						}
						if status == 200 {
							mu.Lock()
							want = append(want, value)
							mu.Unlock()
						}
					}
				})
			}
			wg.Wait()
			slices.Sort(want)
			refused.Remove()
			wantCommitted(t, c, "orders", want...)
			wantCommitted(t, c, "other", want...)
			st := &r.g.transactions.Stats
			if ran, committed := st.Ran.Load(), st.Committed.Load(); committed != int64(len(want)) || !spoilt && ran > committed/2 {
				t.Errorf("%d transactions of Kafka for %d of requests", ran, committed)
			}
			r.ended()
		})
	}
}
