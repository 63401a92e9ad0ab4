package realtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"sluice/gateway/kafkatest"
)

// The topic's max.message.bytes shrinks while many requests write to it. From then on the broker refuses whole batches: for one
// record that is too large, or only because they are. Each request must be told what became of each of its records, and the
// records that fit are stored once, in order.
func TestTooLargeRecordFailsAlone(t *testing.T) {
	for name, props := range map[string]string{
		"idempotent": "",
		"acks-1":     "producer.acks = 1\nproducer.enable.idempotence = false\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := kafkatest.Shared(t, 3)
			topic := "poison-" + name
			place(t, c, topic, nil, []int32{1, 2, 3})
			addr := serve(t, settings(t, c, "", fmt.Sprintf("[topics.%s]\n%s", topic, props)))
			const writers = 6
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			stored, refused := make([][]string, writers), make([]int, writers)
			var wg sync.WaitGroup
			for w := range writers {
				conn := newConnection(t)
				wg.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						lines := manyLines(w, i)
						a := conn.post(t.Context(), recordsURL(addr, topic, delivered), strings.Join(lines, "\n")+"\n", "Content-Type: application/x-ndjson")
						ok, bad := told(t, a, lines)
						stored[w] = append(stored[w], ok...)
						refused[w] += bad
					}
				})
			}
			wait(t, time.Second)
			limit := "20000"
			if _, err := manager(t, c).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, topic); err != nil {
				t.Fatal(err)
			}
			wait(t, 4*time.Second)
			stop()
			wg.Wait()
			found := make([][]string, writers)
			for _, v := range read(t, c, topic, "%s") {
				var r line
				if err := json.Unmarshal([]byte(v), &r); err != nil {
					t.Fatal(err)
				}
				found[r.Writer] = append(found[r.Writer], r.key())
			}
			bad := 0
			for w := range writers {
				bad += refused[w]
				if !slices.Equal(found[w], stored[w]) {
					t.Errorf("writer %d: %d records are stored, %d were told to be, or in another order", w, len(found[w]), len(stored[w]))
				}
			}
			t.Logf("%d records of writer 0 are stored, %d of all were too large", len(stored[0]), bad)
			if bad == 0 {
				t.Error("no record was too large")
			}
		})
	}
}

// line is the value of one record.
type line struct {
	Writer, Request, Line int
	Pad                   string
}

func (l line) key() string { return fmt.Sprint(l.Writer, "/", l.Request, "/", l.Line) }

// manyLines is the records of one request, of which now and then one is too large for the limit to come.
func manyLines(writer, request int) []string {
	lines := make([]string, 40)
	for i := range lines {
		l := line{Writer: writer, Request: request, Line: i, Pad: strings.Repeat("x", 200)}
		if request%9 == writer && i == 17 {
			l.Pad = strings.Repeat("y", 30_000)
		}
		b, _ := json.Marshal(l)
		lines[i] = string(b)
	}
	return lines
}

// told returns the records that an answer calls stored, and how many it calls too large; any other result is an error.
func told(t *testing.T, a answer, lines []string) (stored []string, tooLarge int) {
	t.Helper()
	var results struct {
		Records []struct {
			Offset *int64
			Error  struct{ Code string }
		}
	}
	if a.err != nil || json.Unmarshal(a.body, &results) != nil || len(results.Records) != len(lines) {
		t.Errorf("answer %v", a)
		return nil, 0
	}
	for i, r := range results.Records {
		var l line
		_ = json.Unmarshal([]byte(lines[i]), &l) // it is ours
		switch {
		case r.Offset != nil:
			stored = append(stored, l.key())
		case r.Error.Code == "record_too_large" && strings.Contains(lines[i], "yyy"):
			tooLarge++
		default:
			t.Errorf("record %s: %s", l.key(), r.Error.Code)
		}
	}
	return stored, tooLarge
}

// A record that is larger than the topic's max.message.bytes is refused alike by the broker and, once that is known, by the gateway;
// also by a broker that would compress it.
func TestMaxMessageBytesIsLearned(t *testing.T) {
	c := kafkatest.Shared(t, 1)
	for _, topicCodec := range []string{"producer", "zstd"} {
		topic := "largest-" + topicCodec
		place(t, c, topic, map[string]string{"max.message.bytes": "20000", "compression.type": topicCodec}, []int32{1})
		addr := serve(t, settings(t, c, "", fmt.Sprintf("[topics.%s]\n", topic)))
		conn := newConnection(t)
		// The batch header is 61 bytes, and what a record has beside its value 11 of this size.
		for range 3 {
			if a := conn.post(t.Context(), recordsURL(addr, topic, delivered), strings.Repeat("v", 20000-61-11)); a.status != 200 {
				t.Fatalf("%s: the largest that fits: %+v", topic, a)
			}
		}
		seen := map[bool]bool{}
		for start := time.Now(); !seen[true] && time.Since(start) < 30*time.Second; {
			a := conn.post(t.Context(), recordsURL(addr, topic, delivered), strings.Repeat("v", 20001-61-11))
			if a.status != 413 {
				t.Fatalf("%s: one byte more: %+v", topic, a)
			}
			seen[strings.Contains(string(a.body), "max.message.bytes = 20000 of topic")] = true
		}
		if !seen[true] {
			t.Errorf("%s: the limit is not learned", topic)
		}
		limit := "30000"
		if _, err := manager(t, c).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, topic); err != nil {
			t.Fatal(err)
		}
		status := 0
		for start := time.Now(); status != 200 && time.Since(start) < 30*time.Second; {
			status = conn.post(t.Context(), recordsURL(addr, topic, delivered), strings.Repeat("v", 29000)).status
		}
		if status != 200 {
			t.Errorf("%s: the limit has grown, and the answer is %d", topic, status)
		}
	}
}
