package realtest_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

const (
	millionSenders    = 16
	keysPerSender     = 63
	recordsPerRequest = 1000
)

// spot is where a record was stored according to its answer.
type spot struct {
	partition int32
	offset    int64
}

// keyName is key k of a sender: of all lengths modulo 4, which murmur2 treats apart, and not only ASCII.
func keyName(sender, k int) string {
	return fmt.Sprintf("sender-%d/key-%d%s", sender, k, strings.Repeat("é", k%5))
}

// count is how many records each sender sends: whole requests, a million in all unless SLUICE_REALTEST_RECORDS says otherwise.
func count(t *testing.T) int {
	t.Helper()
	total := 1_000_000
	if s := os.Getenv("SLUICE_REALTEST_RECORDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("SLUICE_REALTEST_RECORDS=%s is not a number of records", s)
		}
		total = n
	}
	const unit = millionSenders * recordsPerRequest
	return (total + unit - 1) / unit * recordsPerRequest
}

func TestMillionRecordsOnceInOrder(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	const partitions = 12
	c.CreateTopic("million", partitions, 3, nil)
	url := recordsURL(serve(t, settings(t, c, "", "[topics.million]\n")), "million", delivered)
	each := count(t)

	start := time.Now()
	var wg sync.WaitGroup
	spots := make([][]spot, millionSenders)
	for s := range spots {
		wg.Go(func() { spots[s] = sendKeyed(t, url, s, each) })
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	sent := time.Since(start)
	lines := read(t, c, "million", `%p\t%o\t%k\t%s`)
	t.Logf("%d records stored in %v (%.0f/s), read back after %v", each*millionSenders, sent,
		float64(each*millionSenders)/sent.Seconds(), time.Since(start))

	chosen := javaPartitions(t, c, partitions)
	checkMillion(t, lines, spots, chosen)
}

// sendKeyed sends n records, in turn for each of the sender's keys. The value counts the records of the key.
func sendKeyed(t *testing.T, url string, sender, n int) []spot {
	t.Helper()
	conn := newConnection(t)
	spots := make([]spot, 0, n)
	var body strings.Builder
	for i := 0; i < n; {
		body.Reset()
		for range recordsPerRequest {
			fmt.Fprintf(&body, "{\"key\":%q,\"value\":\"%d\"}\n", keyName(sender, i%keysPerSender), i/keysPerSender)
			i++
		}
		a := conn.post(t.Context(), url, body.String(), "Content-Type: "+envelopes)
		if a.status != http.StatusOK {
			t.Errorf("sender %d: answer %s", sender, a)
			return nil
		}
		for _, r := range a.parse(t).Records {
			spots = append(spots, spot{r.Partition, r.Offset})
		}
	}
	return spots
}

// javaPartitions is what Kafka's own client chooses for every key.
func javaPartitions(t *testing.T, c *kafkatest.Cluster, partitions int) map[string]int32 {
	t.Helper()
	var keys strings.Builder
	for s := range millionSenders {
		for k := range keysPerSender {
			fmt.Fprintln(&keys, keyName(s, k))
		}
	}
	return askJava(t, c, partitions, keys.String())
}

// askJava runs Kafka's default partitioner on keys, one per line.
func askJava(t *testing.T, c *kafkatest.Cluster, partitions int, keys string) map[string]int32 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	chosen := make(map[string]int32)
	numbers := strings.Fields(c.RunJava("testdata/Partitions.java", file, strconv.Itoa(partitions)))
	for i, key := range strings.Split(strings.TrimSuffix(keys, "\n"), "\n") {
		p, err := strconv.ParseInt(numbers[i], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		chosen[key] = int32(p)
	}
	return chosen
}

// progress is how far the log was read for one key.
type progress struct {
	sender, k int
	next      int // the value expected next
	partition int32
}

func checkMillion(t *testing.T, lines []string, spots [][]spot, chosen map[string]int32) {
	t.Helper()
	keys := make(map[string]*progress)
	for s := range spots {
		for k := range keysPerSender {
			name := keyName(s, k)
			keys[name] = &progress{sender: s, k: k, partition: chosen[name]}
		}
	}
	for _, line := range lines {
		if err := checkLine(line, keys, spots); err != nil {
			t.Fatalf("kcat prints %q: %v", line, err)
		}
	}
	if want := len(spots) * len(spots[0]); len(lines) != want {
		t.Errorf("%d records are stored, want %d", len(lines), want)
	}
}

func checkLine(line string, keys map[string]*progress, spots [][]spot) error {
	f := strings.Split(line, "\t")
	if len(f) != 4 || keys[f[2]] == nil {
		return fmt.Errorf("no such record was sent")
	}
	p := keys[f[2]]
	if f[3] != strconv.Itoa(p.next) {
		return fmt.Errorf("the next record of this key should be %d", p.next)
	}
	if f[0] != strconv.Itoa(int(p.partition)) {
		return fmt.Errorf("Kafka's client chooses partition %d", p.partition)
	}
	n := p.next*keysPerSender + p.k
	p.next++
	if told := spots[p.sender][n]; f[0] != strconv.Itoa(int(told.partition)) || f[1] != strconv.FormatInt(told.offset, 10) {
		return fmt.Errorf("the answer was partition %d, offset %d", told.partition, told.offset)
	}
	return nil
}
