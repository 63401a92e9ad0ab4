package conformance

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost"
)

// progress: a guest says which record it works on, so that finding the one on which it traps takes few calls.
func (g *guest) progress(t *testing.T) {
	for _, hook := range []string{"on_send", "partition"} {
		t.Run(hook, func(t *testing.T) {
			made, _ := g.start(t, "")
			b := batch()
			for i := range 1000 {
				do := "noop"
				if i == 500 {
					do = "trap"
				}
				b.Records = append(b.Records, told(do))
			}
			stats := &made.Stats.Hooks[wasmhost.OnSend]
			if hook == "on_send" {
				made.OnSend(b)
			} else {
				stats = &made.Stats.Hooks[wasmhost.Partition]
				made.Partition(b)
			}
			for i := range b.Records {
				if r := &b.Records[i]; (r.Verdict == wasmhost.Failed) != (i == 500) {
					t.Fatalf("record %d: verdict %d, %v: %s", i, r.Verdict, r.Cause, r.Reason)
				}
			}
			if r := &b.Records[500]; r.Cause != wasmhost.Trap && r.Cause != wasmhost.RecordError {
				t.Errorf("the trap became %v: %s", r.Cause, r.Reason)
			}
			const enough = 4 // with all, those before, the one, those behind
			if n := stats.Calls.Load(); n > enough {
				t.Errorf("a trap at one record of 1,000 took %d calls, want %d at most", n, enough)
			}
		})
	}
}

func (g *guest) cookies(t *testing.T) {
	made, log := g.start(t, "")
	cookies := []uint64{0, 1, 1 << 63, math.MaxUint64 - 1}
	b := batch()
	for _, c := range cookies {
		b.Records = append(b.Records, told(fmt.Sprintf("cookie:%d", c)))
	}
	b.Records = append(b.Records, told("noop"))
	b.Records[4].Cookie = 77 // another interceptor of the same module would have
	made.OnSend(b)
	acks, want := make([]wasmhost.Ack, 0, len(b.Records)), make([]string, 0, len(b.Records))
	for i, c := range append(slices.Clone(cookies), 77) {
		if got := b.Records[i].Cookie; got != c {
			t.Errorf("record %d has cookie %d, want %d", i, got, c)
		}
		acks = append(acks, wasmhost.Ack{Cookie: b.Records[i].Cookie, Topic: "orders", Partition: int32(i)})
		want = append(want, fmt.Sprintf(`ack topic="orders" partition=%d error=0 offset=0 timestamp=0 message="" cookie=%d key_size=0 value_size=0`, i, c))
	}
	made.OnAck(acks, 5)
	if diff := cmp.Diff(want, lines(log, "ack ")); diff != "" {
		t.Error("want and got:\n", diff)
	}
}

func (g *guest) logAndCount(t *testing.T) {
	made, log := g.start(t, "")
	var do []string
	var want []wasmhost.Line
	for level := abi.LevelTrace; level <= abi.LevelError; level++ {
		do = append(do, fmt.Sprintf("log:%d:line: %d ü", level, level))
		want = append(want, wasmhost.Line{Level: level, Guest: "conformance", Version: g.module.ID, Text: fmt.Sprintf("line: %d ü", level)})
	}
	made.OnSend(batch(told(append(do, "count:seen:3", "count:seen:-1", "count:other_1:9223372036854775807", "count:Not Allowed:1")...)))
	made.Partition(batch(told("count:seen:5")))
	var got []wasmhost.Line
	for _, l := range slices.Backward(log.Lines()) {
		if l.Text[:min(5, len(l.Text))] == "line:" {
			l.Time = time.Time{}
			got = append(got, l)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("lines, want and got:\n", diff)
	}
	if diff := cmp.Diff(map[string]int64{"seen": 7, "other_1": math.MaxInt64}, made.Stats.Counters()); diff != "" {
		t.Error("counters, want and got:\n", diff)
	}
	if n := made.Stats.CountersRefused(); n != 1 {
		t.Errorf("%d counters were refused, want 1", n)
	}
}

// clock: it stands still during a call.
func (g *guest) clock(t *testing.T) {
	made, _ := g.start(t, "")
	for _, now := range []int64{1_700_000_000_000, 1_700_000_000_001, 5, 4_102_444_800_000} {
		b := batch(told("now"), told("grow:65536"), told("now"))
		b.Now = now
		made.OnSend(b)
		if first, last := string(b.Records[0].Value), string(b.Records[2].Value); first != strconv.FormatInt(now, 10) || last != first {
			t.Errorf("at %d the guest saw %s, and %s later in the same call", now, first, last)
		}
	}
}

// close: an instance that is given up in good order is told.
func (g *guest) close(t *testing.T) {
	log := wasmhost.NewLog(10)
	made, err := g.module.Configure(g.settings("", log))
	if err != nil {
		t.Fatal(err)
	}
	made.OnSend(batch(told("noop")))
	follow, stop := log.Follow()
	defer stop()
	made.Close()
	select {
	case l := <-follow:
		if l.Text != "close" || l.Level != abi.LevelInfo {
			t.Errorf("close logged %q at level %d", l.Text, l.Level)
		}
	case <-time.After(time.Minute):
		t.Error("close was not called")
	}
}
