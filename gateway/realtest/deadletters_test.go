//go:build linux

package realtest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/deadletter"
	"sluice/gateway/kafkatest"
)

// TestReplayOfDeadLettersIsKilledAgainAndAgain: `sluice dlt replay --via kafka` is killed at many moments; in the end every
// record is in its topic once, for readers of what is committed, and in the order of its letters.
func TestReplayOfDeadLettersIsKilledAgainAndAgain(t *testing.T) {
	const letters, partitions = 20_000, 2
	c := kafkatest.Shared(t, 3)
	c.CreateTopic("dead", partitions, 3, nil)
	c.CreateTopic("dead.DLT", partitions, 3, nil)
	putLetters(t, c, letters, partitions)
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(settings(t, c, "", "[topics.dead]\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for try := 0; ; try++ {
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), sluice(t), "dlt", "replay", "dead.DLT", "--via", "kafka", "--config", file)
		cmd.Stdout, cmd.Stderr = &out, &out
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(200+70*try)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		kill.Stop()
		if err == nil {
			t.Logf("killed %d times; then: %s", try, out.String())
			break
		}
		if cmd.ProcessState.Exited() || try == 100 {
			t.Fatalf("run %d: %v\n%s", try, err, out.String())
		}
	}
	var want [partitions][]string
	for i := range letters {
		want[i%partitions] = append(want[i%partitions], fmt.Sprint(i))
	}
	var got [partitions][]string
	out := kafkatest.Kcat(t, "-b", strings.Join(c.Bootstrap(), ","), "-C", "-t", "dead", "-o", "beginning", "-e", "-q",
		"-X", "isolation.level=read_committed", "-f", `%p %s\n`)
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		var p int
		var value string
		if _, err := fmt.Sscan(line, &p, &value); err != nil {
			t.Fatal(err)
		}
		got[p] = append(got[p], value)
	}
	for p := range want {
		if !slices.Equal(got[p], want[p]) {
			t.Errorf("partition %d has %d records, want %d, each once and in order; it begins with %s", p, len(got[p]), len(want[p]), got[p][:1])
		}
	}
}

// putLetters writes numbered letters, in turn to each partition.
func putLetters(t *testing.T, c *kafkatest.Cluster, n, partitions int) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	all := make([]*kgo.Record, n)
	now := time.Now().UnixMilli() // older records would be deleted, as retention.ms says
	for i := range all {
		l := deadletter.Letter{ID: fmt.Sprint("r-", i), Topic: "dead", Partition: int32(i % partitions), Offset: -1, Timestamp: now, Cause: "broker", Code: "invalid_record"}
		all[i] = &kgo.Record{Topic: "dead.DLT", Partition: int32(i % partitions), Value: []byte(fmt.Sprint(i))}
		for _, h := range l.AppendHeaders(nil, nil) {
			all[i].Headers = append(all[i].Headers, kgo.RecordHeader(h))
		}
	}
	if err := k.ProduceSync(t.Context(), all...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
