package gateway

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// batchOf is n started records with values of the given size.
func batchOf(p *record.Pool, n, size int) *record.Batch {
	b := p.Batch()
	for range n {
		b.Add("t").Value = b.Alloc(size)
	}
	b.Done = func(*record.Batch) {}
	b.Start()
	return b
}

func TestRateLimit(t *testing.T) {
	var p record.Pool
	now := time.Unix(1_800_000_000, 0)
	l := newRateLimits(config.RateLimit{Records: 100, Bytes: 10_000, Burst: time.Second})
	admitted := func(n, size int) *record.Error { return l.admit("t", batchOf(&p, n, size), now) }
	for i := range 11 { // the burst, and the one with which it is used up
		if err := admitted(10, 10); err != nil {
			t.Fatalf("batch %d: %v", i, err)
		}
	}
	err := admitted(10, 10)
	if err == nil || err.Code != record.RateLimited || err.RetryAfter != 100*time.Millisecond || !strings.Contains(err.Message, "rate.limit.records = 100") {
		t.Fatalf("%+v", err)
	}
	if now = now.Add(err.RetryAfter); admitted(10, 10) != nil {
		t.Error("it was to come again then")
	}
	now = now.Add(time.Hour)
	if err := admitted(1, 25_000); err != nil { // more than the burst, paid off afterwards
		t.Fatal(err)
	}
	err = admitted(1, 1)
	if err == nil || err.RetryAfter != 1500*time.Millisecond || !strings.Contains(err.Message, "rate.limit.bytes") {
		t.Fatalf("%+v", err)
	}
	now = now.Add(err.RetryAfter + time.Second)
	for i := range 50 { // those that were refused for their bytes are not counted as records
		if err := admitted(1, 1); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if newRateLimits(config.RateLimit{Burst: time.Second}) != nil {
		t.Error("there are limits without any")
	}
}

// TestRateLimitUnderContention: whoever asks at the same moment, no more than the burst gets through.
func TestRateLimitUnderContention(t *testing.T) {
	r := newRateLimits(config.RateLimit{Records: 1000, Burst: time.Second}).records
	now := time.Unix(1_800_000_000, 0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := 0
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if r.take(1, now) == 0 {
					mu.Lock()
					got++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if got != 1001 {
		t.Errorf("%d were taken", got)
	}
}

// TestRateLimitIsHandedOver: a reload forgives no debt, and what is owed in time follows the rate.
func TestRateLimitIsHandedOver(t *testing.T) {
	var p record.Pool
	now := time.Unix(1_800_000_000, 0)
	old := newRateLimits(config.RateLimit{Records: 100, Bytes: 1_000_000, Burst: time.Second})
	if err := old.admit("t", batchOf(&p, 1000, 1), now); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		records int64
		want    time.Duration
	}{
		"the same rate": {100, 9 * time.Second}, "twice the rate": {200, 4 * time.Second}, "half the rate": {50, 19 * time.Second},
	} {
		l := newRateLimits(config.RateLimit{Records: c.records, Burst: time.Second})
		l.learn(old, now)
		if wait := l.records.take(1, now); wait != c.want {
			t.Errorf("%s: there is room in %v, want %v", name, wait, c.want)
		}
	}
	same := newRateLimits(config.RateLimit{Records: 100, Burst: 10 * time.Second})
	same.learn(old, now)
	old.records.take(0, now.Add(20*time.Second))
	if err := old.admit("t", batchOf(&p, 1000, 1), now.Add(20*time.Second)); err != nil { // by a request that still has it
		t.Fatal(err)
	}
	if wait := same.records.take(1, now.Add(21*time.Second)); wait != 0 {
		t.Errorf("there is room in %v", wait)
	}
	if wait := same.records.take(1, now.Add(19*time.Second)); wait == 0 {
		t.Error("what the old one took after the reload does not count")
	}
	(*rateLimits)(nil).learn(old, now)
	same.learn(nil, now)
}

// TestReloadForgivesNothing also holds for a topic that only a glob covers, which is built again when it is asked for.
func TestReloadForgivesNothing(t *testing.T) {
	c := fake(t)
	tables := "[topics.orders]\nrate.limit.records = 1\n%[1]s[topics.\"oth*\"]\nrate.limit.records = 1\n%[1]s"
	r := serve(t, c.ListenAddrs(), fmt.Sprintf(tables, ""))
	for _, topic := range []string{"orders", "other"} {
		r.post(r.url(topic), strings.Repeat("v\n", 900), ndjson).want(t, 200, "")
	}
	for _, change := range []string{"producer.linger.ms = 1\n", "producer.linger.ms = 2\n"} {
		text := fmt.Sprintf("[kafka]\nbootstrap.servers = [%q]\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n", c.ListenAddrs()[0])
		if err := r.g.Reload(parse(t, text+fmt.Sprintf(tables, change))); err != nil {
			t.Fatal(err)
		}
	}
	for _, topic := range []string{"orders", "other"} {
		r.post(r.url(topic), "v").want(t, 429, "rate_limited")
	}
}

func TestRateLimitIsAnswered429(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nrate.limit.records = 1\nrate.limit.burst.ms = 60000\n[topics.other]\n")
	var lines strings.Builder
	for i := range 100 {
		fmt.Fprintln(&lines, i)
	}
	if a := r.post(r.url("orders"), lines.String(), ndjson); a.status != 200 { // as a whole
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	a := r.post(r.url("orders"), "v")
	a.want(t, 429, "rate_limited")
	if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s != 30 || !strings.Contains(a.body, "there is room in 3") && !strings.Contains(a.body, "there is room in 4") {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	if a := r.post(r.url("other"), "v"); a.status != 200 {
		t.Errorf("another topic: %d %s", a.status, a.body)
	}
	if n := stored(c, "orders"); n != 100 {
		t.Errorf("%d records are stored", n)
	}
	r.clean()
}
