package embedded_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// producerOpts is an idempotent producer to partition 0 that lives on while its broker restarts.
func producerOpts() []kgo.Opt {
	return []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.StopProducerOnDataLossDetected(),
		kgo.MetadataMinAge(50 * time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
	}
}

func TestRecordsAndProducersSurviveRestart(t *testing.T) {
	cfg := settings(t.TempDir(), "127.0.0.1:0")
	b := start(t, cfg, "orders")
	cfg.Listen = b.Addr()
	cl := client(t, b.Addr(), producerOpts()...)
	for i := range 3 {
		produce(t, cl, 10*i, 10)
		stop(t, b)
		b = start(t, cfg, "orders")
		if b.Addr() != cfg.Listen {
			t.Fatalf("listens on %s, want %s", b.Addr(), cfg.Listen)
		}
	}
	checkLog(t, b.Addr(), 30)
}

func TestMemoryOnlyForgets(t *testing.T) {
	cfg := settings("", "127.0.0.1:0")
	b := start(t, cfg, "orders")
	produce(t, client(t, b.Addr(), producerOpts()...), 0, 5)
	checkLog(t, b.Addr(), 5)
	stop(t, b)
	b = start(t, cfg, "orders")
	produce(t, client(t, b.Addr(), producerOpts()...), 0, 5)
}

// brokerProcess starts this test binary as a broker and returns its address and a function that kills it.
func brokerProcess(t *testing.T, dir, listen string) (addr string, kill func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_DIR="+dir, "EMBEDDED_TEST_LISTEN="+listen)
	cmd.Stderr = t.Output()
	if _, err := cmd.StdinPipe(); err != nil { // it ends with this process
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the broker process wrote no address: %v (%v)", err, cmd.Wait())
	}
	return strings.TrimSpace(addr), func() {
		t.Helper()
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // says that it was killed
	}
}

// A clean stop comes first, so that there is a snapshot that the killed broker leaves behind out of date.
func TestEverythingAcknowledgedSurvivesKill(t *testing.T) {
	cfg := settings(t.TempDir(), "127.0.0.1:0")
	b := start(t, cfg, "orders")
	cfg.Listen = b.Addr()
	cl := client(t, b.Addr(), producerOpts()...)
	produce(t, cl, 0, 10)
	stop(t, b)
	for i := 1; i <= 3; i++ {
		addr, kill := brokerProcess(t, cfg.DataDir, cfg.Listen)
		if addr != cfg.Listen {
			t.Fatalf("listens on %s, want %s", addr, cfg.Listen)
		}
		produce(t, cl, 10*i, 10)
		kill()
	}
	b = start(t, cfg, "orders")
	produce(t, cl, 40, 10)
	checkLog(t, b.Addr(), 50)
}

func TestKillUnderLoadNeverPreventsStart(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		addr, kill := brokerProcess(t, dir, "127.0.0.1:0")
		cl := client(t, addr, kgo.UnknownTopicRetries(0), kgo.RecordRetries(0))
		acked := make(chan struct{}, 1)
		for range 2000 {
			cl.Produce(t.Context(), &kgo.Record{Topic: "orders", Value: make([]byte, 1000)}, func(_ *kgo.Record, err error) {
				if err == nil {
					select {
					case acked <- struct{}{}:
					default:
					}
				}
			})
		}
		<-acked
		kill()
		cl.Close()
	}
	b := start(t, settings(dir, "127.0.0.1:0"))
	cl := client(t, b.Addr(), kgo.ConsumeTopics("orders"))
	if n := cl.PollFetches(within(t, time.Minute)).NumRecords(); n == 0 {
		t.Error("no record is left")
	}
}

// A crash can leave half a batch at the end of a log.
func TestTornBatchIsCutOff(t *testing.T) {
	cfg := settings(t.TempDir(), "127.0.0.1:0")
	b := start(t, cfg, "orders")
	produce(t, client(t, b.Addr(), producerOpts()...), 0, 10)
	stop(t, b)
	logs, err := filepath.Glob(filepath.Join(cfg.DataDir, "partitions", "orders-0", "*.dat"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("log files: %v, %v", logs, err)
	}
	info, err := os.Stat(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(logs[0], info.Size()-7); err != nil {
		t.Fatal(err)
	}
	b = start(t, cfg, "orders")
	checkLog(t, b.Addr(), 9)
	produce(t, client(t, b.Addr(), producerOpts()...), 9, 1)
	checkLog(t, b.Addr(), 10)
}
