package partitioner_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

// question is what testdata/Oracle.java reads: a count of cases, then the cases.
type question struct{ buf []byte }

func (q *question) ints(n ...int) {
	for _, v := range n {
		q.buf = binary.BigEndian.AppendUint32(q.buf, uint32(v))
	}
}

// ask lets Kafka's own classes answer, or skips the test if they or a JDK are not there.
func ask(t *testing.T, mode string, q question) []int32 {
	t.Helper()
	home := os.Getenv("KAFKA_HOME")
	if home == "" {
		home = filepath.Join("..", "..", "..", "shared", "kafka")
	}
	libs := filepath.Join(home, "libs")
	if jars, err := filepath.Glob(filepath.Join(libs, "kafka-clients-*.jar")); err != nil || len(jars) == 0 {
		t.Skipf("no Apache Kafka: $KAFKA_HOME (or its default) has no %s", filepath.Join(libs, "kafka-clients-*.jar"))
	}
	for _, tool := range []string{"java", "javac"} { // java needs the compiler to run a source file
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no JDK: there is no %s in PATH", tool)
		}
	}
	cmd := exec.CommandContext(t.Context(), "java", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(libs, "*"),
		filepath.Join("testdata", "Oracle.java"), mode)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(q.buf), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("java: %v\n%s", err, stderr.Bytes())
	}
	answer := make([]int32, len(out)/4)
	if err := binary.Read(bytes.NewReader(out), binary.BigEndian, answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// Kafka's Utils.murmur2, Utils.toPositive and BuiltInPartitioner.partitionForKey over keys of all lengths up to 64.
func TestJavaKeys(t *testing.T) {
	const perLength = 200
	counts := []int32{1, 2, 3, 6, 7, 12, 100, 1000, 65536, 1<<31 - 1}
	rand := seeded(1)
	var keys [][]byte
	var asked question
	asked.ints(65 * perLength)
	for length := range 65 {
		for i := range perLength {
			key := make([]byte, length)
			for j := range key {
				key[j] = byte(rand())
				if i%4 == 0 {
					key[j] |= 0x80 // Java's bytes are signed
				}
			}
			asked.ints(int(counts[len(keys)%len(counts)]), length)
			asked.buf = append(asked.buf, key...)
			keys = append(keys, key)
		}
	}
	answer := ask(t, "key", asked)
	if len(answer) != 3*len(keys) {
		t.Fatalf("%d answers for %d keys, want 3 each", len(answer), len(keys))
	}
	q := newPartitioner(t, partitioner.Murmur2, partitioner.Options{BatchSize: 1})
	for i, key := range keys {
		n := counts[i%len(counts)]
		h := partitioner.Hash(key)
		got := []int32{int32(h), int32(h & 0x7fffffff), one(q, some(n, 0), key)}
		if want := answer[3*i : 3*i+3]; !cmp.Equal(got, want) {
			t.Fatalf("key %x of %d partitions: hash, positive, partition are %d, Kafka says %d", key, n, got, want)
		}
	}
}

// Kafka's BuiltInPartitioner.updatePartitionLoadStats, also with partitions that are late or have no leader.
func TestJavaLoadStats(t *testing.T) {
	const cases = 500
	rand := seeded(2)
	var asked question
	asked.ints(cases)
	topics := make([]*record.Partitions, cases)
	in := make([][]int32, cases) // the partitions that Java is told of
	for c := range topics {
		n := 2 + int(rand()%9)
		p := loaded(make([]int64, n)...)
		p.Available = nil
		var queues []int
		most := 1 + rand()%8
		for i := range p.Load {
			queue := rand() % most
			p.Load[i].Bytes.Store(int64(queue))
			kind := rand() % 8
			if kind != 0 {
				p.Available = append(p.Available, int32(i))
			}
			if kind == 1 && queue > 0 {
				p.Load[i].LastAck.Store(0)
			} else if kind != 0 {
				in[c] = append(in[c], int32(i))
				queues = append(queues, int(queue))
			}
		}
		topics[c] = p
		asked.ints(n, len(queues))
		asked.ints(queues...)
	}
	answer := ask(t, "load", asked)
	for c, p := range topics {
		sums := answer[:len(in[c])]
		answer = answer[len(in[c]):]
		q := newPartitioner(t, partitioner.UniformBytes, partitioner.Options{
			BatchSize: 1, Adaptive: true, AvailabilityTimeout: time.Second, Rand: counting(), Now: at(noon),
		})
		want := expected(p, in[c], sums)
		n := 0
		for _, w := range want {
			n += w
		}
		if diff := cmp.Diff(want, frequencies(q, p, n)); diff != "" {
			t.Fatalf("case %d: of %d partitions, %v with leader, %v on time, sums %v (-want +got):\n%s",
				c, p.Count, p.Available, in[c], sums, diff)
		}
	}
	if len(answer) != 0 {
		t.Errorf("%d answers are left over", len(answer))
	}
}

// expected is how often each partition is chosen: once each where Java keeps no statistics, else by its running sums.
func expected(p *record.Partitions, in, sums []int32) []int {
	want := make([]int, p.Count)
	if len(sums) == 0 || sums[len(sums)-1] == 0 {
		for i := range candidates(p) {
			want[i]++
		}
		return want
	}
	last := int32(0)
	for i, sum := range sums {
		want[in[i]] = int(sum - last)
		last = sum
	}
	return want
}

func candidates(p *record.Partitions) map[int32]bool {
	m := make(map[int32]bool)
	for _, i := range p.Available {
		m[i] = true
	}
	for i := int32(0); len(p.Available) == 0 && i < p.Count; i++ {
		m[i] = true
	}
	return m
}

// Kafka's RoundRobinPartitioner.
func TestJavaRoundRobin(t *testing.T) {
	const steps = 25
	topics := []*record.Partitions{all(1), all(3), some(3, 0, 2), some(4), some(6, 1, 2, 5), some(7, 6)}
	var asked question
	asked.ints(len(topics))
	for _, p := range topics {
		leader := make([]int, p.Count)
		for _, i := range p.Available {
			leader[i] = 1
		}
		asked.ints(int(p.Count), steps)
		asked.ints(leader...)
	}
	answer := ask(t, "round-robin", asked)
	if len(answer) != len(topics)*steps {
		t.Fatalf("%d answers, want %d", len(answer), len(topics)*steps)
	}
	for c, p := range topics {
		q := newPartitioner(t, partitioner.RoundRobin, partitioner.Options{})
		for step := range steps {
			if got, want := one(q, p, nil), answer[c*steps+step]; got != want {
				t.Fatalf("topic %d with leaders %v: record %d goes to %d, in Java to %d", c, p.Available, step, got, want)
			}
		}
	}
}
