package wasmhost

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sluice/guest-sdk/abi"
)

// TestAllowance: n a second, and then none until the second is over.
func TestAllowance(t *testing.T) {
	a, start := allowance{n: 3}, time.Now()
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{
		{0, true},
		{1, true},
		{999 * time.Millisecond, true},
		{999 * time.Millisecond, false},
		{time.Second, true},
		{1001 * time.Millisecond, true},
		{1002 * time.Millisecond, true},
		{1999 * time.Millisecond, false},
		{time.Hour, true},
	} {
		if got := a.take(start.Add(c.after)); got != c.want {
			t.Errorf("after %v: %v", c.after, got)
		}
	}
}

// TestLogRing: the last lines stay, newest first, and followers get all that they take.
func TestLogRing(t *testing.T) {
	l := NewLog(3)
	if got := l.Lines(); len(got) != 0 {
		t.Errorf("an empty log has %v", got)
	}
	follower, end := l.Follow()
	for i := range 5 {
		l.Add(Line{Text: fmt.Sprint(i)})
		want := []string{"4", "3", "2", "1", "0"}[4-i:]
		for k, line := range l.Lines() {
			if line.Text != want[k] || k > 2 {
				t.Errorf("after %d lines: line %d is %q, want %q", i+1, k, line.Text, want[k])
			}
		}
		if line := <-follower; line.Text != fmt.Sprint(i) {
			t.Errorf("the follower has %q, want %d", line.Text, i)
		}
	}
	for range 1000 { // nobody reads: the log does not wait
		l.Add(Line{})
	}
	n := len(follower)
	end()
	if l.Add(Line{}); n == 0 || n == 1000 || len(follower) != n || len(l.followers) != 0 {
		t.Errorf("%d lines wait, and then %d; %d followers", n, len(follower), len(l.followers))
	}
}

// said runs a body once and returns what it logged, oldest first.
func said(t *testing.T, limit int, body, more string) ([]Line, *Guest, *Batch) {
	t.Helper()
	r := newRig(t, func(l *Limits) { l.LogLinesPerSec = limit })
	log := NewLog(100)
	g := r.configure(t, r.module(t, body, more), func(s *Settings) { s.Log = log })
	b := batchOf("k")
	g.OnSend(b)
	lines := log.Lines()
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return lines, g, b
}

func logCall(level, at, n int) string {
	return fmt.Sprintf("(call $log (i32.const %d) (i32.const %d) (i32.const %d)) ", level, at, n)
}

// TestGuestLogs: a line has its level, origin and text, as people may read it.
func TestGuestLogs(t *testing.T) {
	lines, g, b := said(t, 64, logCall(0, 4096, 5)+logCall(3, 4096, 14)+logCall(99, 4100, 1)+logCall(2, 8192, 2000)+logCall(1, -1, 100)+
		logCall(2, 131070, 9)+"(i32.const 0)", `(data (i32.const 4096) "hello\1b[2J\ff\nyou") (data (i32.const 8192) "`+strings.Repeat("\\c3\\a9", 1000)+`")`)
	passed(t, b)
	want := []Line{
		{Level: abi.LevelTrace, Text: "hello"},
		{Level: abi.LevelWarn, Text: "hello\uFFFD[2J\uFFFD you"},
		{Level: abi.LevelError, Text: "o"},
		{Level: abi.LevelInfo, Text: strings.Repeat("é", abi.MaxLine/2)},
		{Level: abi.LevelDebug},
		{Level: abi.LevelInfo}, // of memory that is not there
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	for i, w := range want {
		got := lines[i]
		if got.Level != w.Level || got.Text != w.Text || got.Guest != "rigged" || got.Version != g.Module.ID || got.Time.IsZero() || !utf8.ValidString(got.Text) {
			t.Errorf("line %d: %+v, want level %d, text %q", i, got, w.Level, w.Text)
		}
	}
}

// TestLogIsLimited: what is beyond the rate is counted and left out.
func TestLogIsLimited(t *testing.T) {
	const limit, all = 5, 60
	lines, g, b := said(t, limit, strings.Repeat(logCall(2, 0, 1), all)+"(i32.const 0)", "")
	passed(t, b)
	if dropped := g.Stats.LinesDropped.Load(); len(lines) < limit || len(lines)+int(dropped) != all || dropped == 0 {
		t.Errorf("%d lines are there, %d are dropped of %d", len(lines), dropped, all)
	}
}

// TestRefusalIsNotLimited: the reason of a failure is told even if the log takes no more lines.
func TestRefusalIsNotLimited(t *testing.T) {
	lines, g, b := said(t, 1, logCall(2, 0, 1)+logCall(4, 4096, 5)+logCall(4, 4096, 3)+"(unreachable)", `(data (i32.const 4096) "sorry")`)
	if rec := &b.Records[0]; rec.Verdict != Failed || !strings.Contains(rec.Reason, "(it said: sorry)") {
		t.Errorf("verdict %d: %s", rec.Verdict, rec.Reason)
	}
	if len(lines)+int(g.Stats.LinesDropped.Load()) != 3 {
		t.Errorf("%d lines, %d dropped", len(lines), g.Stats.LinesDropped.Load())
	}
}
