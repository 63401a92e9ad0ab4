//go:build unix

package gateway

import (
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

const fullDiskChild = "SLUICE_TEST_FULL_DISK"

// TestFullDiskOfTheSpool: while files cannot grow nothing is accepted and nothing is lost; afterwards it goes on. The limit is one
// of a process, so the test runs in one of its own.
func TestFullDiskOfTheSpool(t *testing.T) {
	if os.Getenv(fullDiskChild) == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestFullDiskOfTheSpool$", "-test.v")
		cmd.Env = append(os.Environ(), fullDiskChild+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestFullDiskOfTheSpool") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	c := fake(t)
	dir := t.TempDir()
	table := spoolTable(dir, "spool.fsync = \"interval\"\n")
	r := serve(t, c.ListenAddrs(), table)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	sent := r.queueNumbered("orders", 3, 0, 50)
	for round := range 3 {
		limitFiles(t, 1000)
		for range 5 {
			a := r.queue("orders", strings.Repeat("x", 5000), "X-Kafka-Key: refused")
			a.want(t, 503, "spool_full")
			if a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "spool.dir") {
				t.Errorf("answer %v %s", a.header, a.body)
			}
		}
		if n := r.spooled("orders"); n != int64(sent) {
			t.Fatalf("%d records wait, %d were accepted", n, sent)
		}
		limitFiles(t, 0)
		sent += r.queueNumbered("orders", 3, 50+10*round, 60+10*round)
	}
	r.stop()
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
	outage.Remove()
	r = serve(t, c.ListenAddrs(), table)
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", sent), 3, 80, false)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if n := stored(c, "orders"); n != int64(sent) {
		t.Errorf("%d records are stored, %d were accepted", n, sent)
	}
}

// limitFiles lets every write behind this many bytes of a file of this process fail; 0 is no limit.
func limitFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur = limit.Max; n > 0 {
		limit.Cur = n
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}
