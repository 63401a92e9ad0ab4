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
	r := &rateLimit{rate: 1000, burst: time.Second}
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
	if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < 30 || s > 41 {
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
