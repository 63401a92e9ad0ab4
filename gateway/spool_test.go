package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// spoolTable is a table of topic orders with a spool, and more settings.
func spoolTable(dir, more string) string {
	return fmt.Sprintf("[topics.orders]\nspool.dir = %q\nspool.max.bytes = 4194304\n%s\n", dir, more)
}

func (r *rig) queue(topic, body string, headers ...string) answer {
	r.t.Helper()
	return r.post(r.url(topic)+"?ack=queued", body, headers...)
}

// spooled is what waits in the spool of a topic.
func (r *rig) spooled(topic string) (records int64) {
	for _, q := range r.g.spools.all() {
		if q.name == topic {
			n, _ := q.waiting()
			records += n
		}
	}
	return records
}

// queueNumbered sends records of some keys, numbered per key, and returns how many were sent.
func (r *rig) queueNumbered(topic string, keys, from, to int) int {
	r.t.Helper()
	for n := from; n < to; n++ {
		var body strings.Builder
		for k := range keys {
			fmt.Fprintf(&body, `{"key":"k%d","value":"%d"}`+"\n", k, n)
		}
		r.queue(topic, body.String(), envelope).want(r.t, 202, "")
	}
	return keys * (to - from)
}

// wantNumbered checks that records hold the numbers of every key in order. Records may come again only behind a crash.
func wantNumbered(t testing.TB, recs []*kgo.Record, keys, count int, again bool) {
	t.Helper()
	next := make(map[string]int)
	for _, r := range recs {
		var n int
		if _, err := fmt.Sscan(string(r.Value), &n); err != nil {
			t.Fatal(err)
		}
		switch want := next[string(r.Key)]; {
		case n == want:
			next[string(r.Key)]++
		case n < want && again:
		default:
			t.Fatalf("key %s: %d comes where %d should", r.Key, n, want)
		}
	}
	for k := range keys {
		if n := next[fmt.Sprintf("k%d", k)]; n != count {
			t.Errorf("key k%d has %d records, want %d", k, n, count)
		}
	}
}

func TestSpooledRecordsAreStored(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), ""))
	n := r.queueNumbered("orders", 5, 0, 40)
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", n), 5, 40, false)
	r.queue("orders", `{"key":"k","value":"v","headers":{"a":"1","b":null},"partition":2,"timestamp":1234}`+"\n"+`{"value":null}`+"\n", envelope).want(t, 202, "")
	got := read(t, c.ListenAddrs(), "orders", n+2)
	var found, null bool
	for _, rec := range got {
		if string(rec.Key) == "k" {
			found = rec.Partition == 2 && rec.Timestamp.UnixMilli() == 1234 && len(rec.Headers) == 2 && rec.Headers[1].Value == nil
		}
		null = null || rec.Value == nil
	}
	if !found || !null {
		t.Errorf("explicit record as sent: %v, null value: %v", found, null)
	}
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

func TestSpoolSurvivesARestartDuringAnOutage(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	table := spoolTable(dir, "")
	r := serve(t, c.ListenAddrs(), table)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queueNumbered("orders", 3, 0, 30)
	if r.spooled("orders") != 90 {
		t.Fatalf("%d records wait", r.spooled("orders"))
	}
	r.stop()
	_ = <-r.done
	if n := stored(c, "orders"); n != 0 {
		t.Fatalf("%d records are stored", n)
	}
	outage.Remove()
	r = serve(t, c.ListenAddrs(), table)
	r.queueNumbered("orders", 3, 30, 40)
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", 120), 3, 40, false)
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "orders.spool", "*.seg")); len(left) > 0 {
		t.Errorf("an empty spool leaves %v", left)
	}
	if n := stored(c, "orders"); n != 120 {
		t.Errorf("%d records are stored", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "orders.spool", "position.a")); err != nil {
		t.Error(err)
	}
}
