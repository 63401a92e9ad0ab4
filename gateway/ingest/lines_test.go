package ingest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

const ndjsonType = "Content-Type: application/x-ndjson"

func TestLines(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	long := strings.Repeat("x", 100<<10)
	for _, tt := range []struct {
		name, body string
		want       []string
	}{
		{"one", "a\n", []string{"a"}},
		{"no end", "a\nb", []string{"a", "b"}},
		{"CR LF", "a\r\nb\r\n", []string{"a", "b"}},
		{"CR at the end", "a\r", []string{"a"}},
		{"CR inside", "a\rb\n", []string{"a\rb"}},
		{"blank", "\n\na\n \t\r\n\nb\n\n", []string{"a", "b"}},
		{"not JSON", "{\n\"", []string{"{", "\""}},
		{"longer than what is read at once", long + "\nb\n" + long, []string{long, "b", long}},
	} {
		for _, contentType := range []string{"application/x-ndjson", "application/NDJSON; charset=utf-8", "application/jsonl"} {
			for _, chunked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/chunked=%v", tt.name, contentType, chunked), func(t *testing.T) {
					r := r.in(t)
					got := r.do("POST", recordsPath, bodyOf(tt.body, chunked), "Content-Type: "+contentType)
					if got.status != 200 {
						t.Fatal(got)
					}
					if diff := cmp.Diff(tt.want, r.topic.values()); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

func TestLinesShareWhatTheRequestSays(t *testing.T) {
	topic := testTopic()
	topic.batchMemory = 1 // every record is a batch
	r := newRig(t, testConfig(), topic)
	got := r.post(recordsPath, "a\nb\n", ndjsonType, "X-Kafka-Key: k", "X-Kafka-Partition: 2", "X-Kafka-Timestamp: 7",
		"X-Kafka-Header-H: v")
	if got.status != 200 {
		t.Fatal(got)
	}
	want := stored{Key: []byte("k"), Value: []byte("a"), Headers: []string{"H=v"}, Partition: 2, Explicit: true, Timestamp: 7}
	second := want
	second.Value = []byte("b")
	if diff := cmp.Diff([]stored{want, second}, topic.all()); diff != "" {
		t.Error(diff)
	}
}

func TestLinesAreCutIntoBatches(t *testing.T) {
	topic := testTopic()
	topic.batchMemory = 1 << 30
	r := newRig(t, testConfig(), topic)
	var body strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&body, "record %d\n", i)
	}
	if got := r.post(recordsPath, body.String(), ndjsonType); got.status != 200 || strings.Count(got.body, `"offset"`) != 2500 {
		t.Fatal(got.status, got.body[:100])
	}
	if diff := cmp.Diff([]int{1024, 1024, 452}, topic.batches); diff != "" {
		t.Error(diff)
	}
	for i, v := range topic.values() {
		if v != fmt.Sprintf("record %d", i) {
			t.Fatalf("record %d is %q", i, v)
		}
	}
	r = r.in(t)
	topic.batchMemory = 16 << 10
	if got := r.post(recordsPath, strings.Repeat(strings.Repeat("x", 1000)+"\n", 100), ndjsonType); got.status != 200 {
		t.Fatal(got)
	}
	for i, n := range topic.batches {
		if held := n * (1000 + record.Overhead); held > 3*topic.batchMemory || i+1 < len(topic.batches) && held < topic.batchMemory/4 {
			t.Errorf("batch %d has %d records: %v", i, n, topic.batches)
		}
	}
}

func TestLinesAnswer(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	failOdd := func(topic *memTopic, b *record.Batch) {
		full := &record.Error{Code: record.BufferFull, Message: "buffer.memory is exhausted", RetryAfter: 1500e6}
		for i, n := 0, len(b.Records); i < n; i++ {
			if strings.HasPrefix(string(b.Records[i].Value), "bad") {
				b.Fail(i, full)
				continue
			}
			topic.storeOne(b, i)
		}
	}
	for _, tt := range []struct {
		query, body string
		status      int
		want        string
	}{
		{"", "a\nb\n", 200, `{"topic":"orders","records":[{"partition":0,"offset":0},{"partition":0,"offset":1}]}`},
		{"?results=errors", "a\nb\n", 200, `{"topic":"orders","stored":2,"failed":0,"errors":[]}`},
		{"?ack=queued", "a\nb\n", 202, `{"topic":"orders","accepted":2}`},
		{"", "a\nbad\nb\n", 207, `{"topic":"orders","records":[{"partition":0,"offset":0},` +
			`{"error":{"code":"buffer_full","message":"buffer.memory is exhausted"}},{"partition":0,"offset":1}]}`},
		{"?results=errors", "a\nbad\nb\n", 207, `{"topic":"orders","stored":2,"failed":1,"errors":[` +
			`{"index":1,"code":"buffer_full","message":"buffer.memory is exhausted"}]}`},
		{"?ack=queued", "a\nbad\nb\n", 207, `{"topic":"orders","accepted":2,"failed":1,"errors":[` +
			`{"index":1,"code":"buffer_full","message":"buffer.memory is exhausted"}]}`},
		{"", "bad\nbad\n", 503, `{"type":"about:blank","title":"Service Unavailable","status":503,"code":"buffer_full",` +
			`"detail":"buffer.memory is exhausted","retryable":true,"failed":2}`},
		{"?ack=queued", "bad\nbad\n", 503, `{"type":"about:blank","title":"Service Unavailable","status":503,"code":"buffer_full",` +
			`"detail":"buffer.memory is exhausted","retryable":true,"failed":2}`},
	} {
		t.Run(tt.query+" "+tt.body, func(t *testing.T) {
			r := r.in(t)
			r.topic.send = failOdd
			got := r.post(recordsPath+tt.query, tt.body, ndjsonType)
			if got.status != tt.status {
				t.Errorf("status %d, want %d", got.status, tt.status)
			}
			if diff := cmp.Diff(tt.want, got.body); diff != "" {
				t.Error(diff)
			}
			if after := got.header.Get("Retry-After"); tt.status == 503 && after != "2" {
				t.Errorf("Retry-After is %q", after)
			}
		})
	}
}

func TestCausesOfOneStatus(t *testing.T) {
	topic := testTopic()
	codes := map[string]record.Code{"full": record.BufferFull, "gone": record.NotAvailable, "schema": record.Rejected}
	topic.send = func(_ *memTopic, b *record.Batch) {
		for i, n := 0, len(b.Records); i < n; i++ {
			v := string(b.Records[i].Value)
			b.Fail(i, record.Errorf(codes[v], "it is %s", v))
		}
	}
	r := newRig(t, testConfig(), topic)
	p := checkProblem(t, r.post(recordsPath, "full\ngone\n", ndjsonType), 503, "buffer_full", "it is full")
	if len(p.Records) != 2 || !strings.Contains(string(p.Records[1]), "not_available") {
		t.Errorf("records %s", p.Records)
	}
	if got := r.post(recordsPath, "full\nschema\n", ndjsonType); got.status != 207 || strings.Count(got.body, `"error"`) != 2 {
		t.Errorf("different statuses: %v", got)
	}
}

func TestLineOfARecordThatIsTooLarge(t *testing.T) {
	topic := testTopic()
	topic.maxRecord = 1000
	r := newRig(t, testConfig(), topic)
	for _, size := range []int{1001, 1002, 1003, 32 << 10, 100 << 10} {
		r := r.in(t)
		got := r.post(recordsPath, "a\n"+strings.Repeat("x", size)+"\nb\r\n"+strings.Repeat("y", 1000)+"\r\n", ndjsonType)
		if got.status != 207 || !strings.Contains(got.body, "record_too_large") || !strings.Contains(got.body, "line 2") ||
			!strings.Contains(got.body, "max.request.size = 1000") {
			t.Errorf("%d: %v", size, got)
		}
		if diff := cmp.Diff([]string{"a", "b", strings.Repeat("y", 1000)}, topic.values()); diff != "" {
			t.Errorf("%d: %s", size, diff)
		}
	}
	got := r.post(recordsPath, strings.Repeat("x", 995)+"\n", ndjsonType, "X-Kafka-Key: 123456")
	checkProblem(t, got, 413, "record_too_large", "line 1")
}

func TestNoRecords(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, body := range []string{"", "\n", " \r\n\n"} {
		checkProblem(t, r.post(recordsPath, body, ndjsonType), 400, "invalid_request", "no records")
	}
}
