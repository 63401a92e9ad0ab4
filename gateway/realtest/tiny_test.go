//go:build linux

package realtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

// What a record costs beside its bytes is what counts when records are tiny, and it has to be within buffer.memory too.
func TestTinyRecordsStayWithinMemory(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	place(t, c, "tiny", nil, []int32{pausedBroker})
	const memory = 48 * mib
	gw := startChild(t, settings(t, c, "", fmt.Sprintf("[topics.tiny]\nproducer.buffer.memory = %d\nproducer.max.block.ms = 0\n", memory)))
	url := recordsURL(gw.addr, "tiny", queued)
	if a := newConnection(t).post(t.Context(), url, "x"); a.status != http.StatusAccepted {
		t.Fatalf("answer %s", a)
	}
	c.Pause(pausedBroker)
	accepted := make([]int, 4)
	var wg sync.WaitGroup
	for i := range accepted {
		wg.Go(func() { accepted[i] = fill(t, url) })
	}
	wg.Wait()
	now, peak := gw.memory()
	c.Resume(pausedBroker)
	gw.terminate()
	if status := gw.exit(90 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
	total := 1
	for _, n := range accepted {
		total += n
	}
	const bound = memory + 64*mib
	t.Logf("%d records of 1 byte fill %.0f MiB; resident memory %.1f MiB, %.1f at most", total, mibs(memory), mibs(now), mibs(peak))
	if peak > bound {
		t.Errorf("resident memory was %.1f MiB, more than buffer.memory + 64 MiB = %.0f MiB", mibs(peak), mibs(bound))
	}
	if n := len(read(t, c, "tiny", "%s")); n != total {
		t.Errorf("%d records were accepted, %d are stored", total, n)
	}
}

// fill sends records of one byte until 50 requests in a row were refused, and returns how many records were accepted.
func fill(t *testing.T, url string) (accepted int) {
	t.Helper()
	conn := newConnection(t)
	body := strings.Repeat("x\n", 5000)
	for refused := 0; refused < 50; {
		a := conn.post(t.Context(), url, body, "Content-Type: application/x-ndjson")
		switch a.status {
		case http.StatusAccepted, http.StatusMultiStatus:
			var some struct{ Accepted int }
			if err := json.Unmarshal(a.body, &some); err != nil {
				t.Error(err)
				return accepted
			}
			accepted += some.Accepted
			refused = 0
		case http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("answer %s", a)
			return accepted
		}
	}
	return accepted
}
