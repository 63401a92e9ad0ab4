//go:build linux

package realtest_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

// A broker is paused during the drain, so that it takes long enough to be looked at.
func TestDrainOnSIGTERM(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	place(t, c, "drained", nil, []int32{1}, []int32{2}, []int32{3})
	gw := startChild(t, settings(t, c, "", "[topics.drained]\n"))
	loads := []*load{
		{topic: "drained", ack: queued, connections: 16, every: 20 * time.Millisecond, size: 500},
		{topic: "drained", ack: delivered, connections: 16, every: 20 * time.Millisecond, size: 500},
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for i, l := range loads {
		l.start(t, ctx, strconv.Itoa(i), gw.addr)
	}
	wait(t, 2*time.Second)
	c.Pause(1)
	wait(t, time.Second)
	gw.terminate()
	gw.logged("msg=draining")
	draining := time.Now()
	wait(t, 2*time.Second)
	resumed := time.Now()
	c.Resume(1)
	status := gw.exit(60 * time.Second)
	ended := time.Now()
	stop()
	if status != 0 {
		t.Errorf("exit status %d", status)
	}

	sent := merge([]*ledger{loads[0].wait(), loads[1].wait()})
	line := gw.logged(`msg=stopped flushed=(\d+) unflushed=(\d+)`)
	t.Logf("answers by status %v; %v; ended %v after the broker went on", sent.statuses(), line[0], ended.Sub(resumed).Round(time.Millisecond))
	if flushed, err := strconv.Atoi(line[1]); err != nil || flushed == 0 || line[2] != "0" {
		t.Errorf("the log says %s", line[0])
	}
	if cut := sent.selected(func(a answer) bool { return a.status == 0 && a.at.Before(resumed) }); len(cut) > 0 {
		t.Errorf("%d requests before the end got no answer, the first: %s", len(cut), cut[0])
	}
	refused := sent.selected(during(draining, resumed, http.StatusServiceUnavailable))
	if len(refused) == 0 {
		t.Error("nothing was refused while draining")
	}
	for _, a := range refused {
		if a.retryAfter == "" || !strings.Contains(string(a.body), `"draining"`) {
			t.Fatalf("Retry-After %q, answer %s", a.retryAfter, a)
		}
	}
	if late := sent.selected(func(a answer) bool {
		return a.at.After(draining) && (a.status == http.StatusOK || a.status == http.StatusAccepted)
	}); len(late) > 0 {
		t.Errorf("%d records were accepted after the drain had begun", len(late))
	}
	if waited := sent.selected(func(a answer) bool { return a.status == http.StatusOK && a.at.Add(a.took).After(resumed) }); len(waited) == 0 {
		t.Error("no request that waited for the paused broker got its 200")
	}
	sent.check(t, read(t, c, "drained", "%k"))
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	place(t, c, "left", nil, []int32{1})
	gw := startChild(t, settings(t, c, "", "[topics.left]\n"))
	conn := newConnection(t)
	if a := conn.post(t.Context(), recordsURL(gw.addr, "left", delivered), "x"); a.status != http.StatusOK {
		t.Fatalf("answer %s", a)
	}
	c.Pause(1)
	if a := conn.post(t.Context(), recordsURL(gw.addr, "left", queued), "x"); a.status != http.StatusAccepted {
		t.Fatalf("answer %s", a)
	}
	gw.terminate()
	gw.logged("msg=draining records=1")
	start := time.Now()
	gw.terminate()
	status := gw.exit(20 * time.Second)
	took := time.Since(start)
	t.Logf("exit status %d, %v after the second signal", status, took)
	if status != 1 || took > 5*time.Second {
		t.Errorf("exit status %d after %v", status, took)
	}
	gw.logged("second signal")
	c.Resume(1)
}
