package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A request that breaks off after some of its batches were sent says what became of those.
func TestBrokenOff(t *testing.T) {
	for _, tt := range []struct {
		name, head, body string
		code, says       string
	}{
		{"too many records", "Content-Length: 10\r\n", "a\nb\nc\nd\ne\n", "too_many_records", "max.records.per.request = 3"},
		{"too slow", "Content-Length: 10\r\n", "a\nb\nc\nd", "request_timeout", "read.timeout.ms = 100"},
		{"broken chunk", "Transfer-Encoding: chunked\r\n", "6\r\na\nb\nc\n\r\nxx\r\n", "invalid_request", "body cannot be read"},
		{"body too large", "Transfer-Encoding: chunked\r\n", "6\r\na\nb\nc\n\r\n5\r\nddddd\r\n0\r\n\r\n", "body_too_large", "max.body.bytes = 10"},
	} {
		for _, query := range []string{"", "?ack=queued", "?results=errors"} {
			t.Run(tt.name+query, func(t *testing.T) {
				cfg := testConfig()
				cfg.MaxRecordsPerRequest = 3
				cfg.MaxBodyBytes = 10
				cfg.ReadTimeout = 100 * time.Millisecond
				topic := testTopic()
				topic.batchMemory = 1
				r := newRig(t, cfg, topic)
				w := r.dial()
				w.write("POST " + recordsPath + query + " HTTP/1.1\r\nHost: x\r\n" + ndjsonType + "\r\n" + tt.head + "\r\n" + tt.body)
				got := w.read()
				says := fmt.Sprintf(`"error":{"code":"%s","message":"the request broke off after 3 records`, tt.code)
				if got.status != 207 || !strings.Contains(got.body, says) || !strings.Contains(got.body, tt.says) {
					t.Error(got)
				}
				want := map[string]string{
					"":            `"records":[{"partition":0,"offset":0},{"partition":0,"offset":1},{"partition":0,"offset":2}]`,
					"?ack=queued": `"accepted":3`, "?results=errors": `"stored":3,"failed":0`,
				}
				if !strings.Contains(got.body, want[query]) {
					t.Error(got)
				}
				if diff := cmp.Diff([]string{"a", "b", "c"}, topic.values()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// Records of a batch that was never sent are not stored, and not told of.
func TestBrokenOffInABatch(t *testing.T) {
	cfg := testConfig()
	cfg.MaxRecordsPerRequest = 1500
	topic := testTopic()
	topic.batchMemory = 1 << 30
	r := newRig(t, cfg, topic)
	line := `{"value":1}` + "\n"
	got := r.post(recordsPath, strings.Repeat(line, 10)+"bad\n"+strings.Repeat(line, 1200)+"bad\n"+strings.Repeat(line, 400), envelopeType)
	if got.status != 207 || !strings.Contains(got.body, "broke off after 1025 records") || strings.Count(got.body, `"offset"`) != 1024 ||
		strings.Count(got.body, "line 11,") != 1 || strings.Contains(got.body, "line 1212") {
		t.Error(got.status, len(got.body))
	}
	if n := len(topic.all()); n != 1024 {
		t.Errorf("%d records were stored", n)
	}
}

func TestDisconnectInTheBody(t *testing.T) {
	topic := testTopic()
	topic.batchMemory = 1
	r := newRig(t, testConfig(), topic)
	for _, sent := range []string{
		"Content-Length: 100\r\n\r\nabc",
		"Content-Length: 200000\r\n\r\n" + strings.Repeat("x", 150000),
		"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		ndjsonType + "\r\nContent-Length: 100\r\n\r\nabc\nd",
		ndjsonType + "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc\nd\r\n",
		"Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f\x8b\x08",
	} {
		before := len(r.seen.all())
		w := r.dial()
		w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\n" + sent)
		w.Close()
		eventually(t, func() bool { return len(r.seen.all()) == before+1 }, func() string { return "the request does not end: " + sent[:30] })
		r.settled()
	}
	for _, v := range topic.values() {
		if v != "abc" { // the line that was complete
			t.Errorf("%q was stored", v)
		}
	}
	for _, call := range r.seen.all() {
		if call == "records 200" {
			t.Error("a request that broke off was called stored")
		}
	}
}

// A raw record is stored whole or not at all.
func TestBodyShorterThanAnnounced(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
	if err := w.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	checkProblem(t, w.read(), 400, "invalid_request", "ended after 3 bytes")
	if n := len(r.topic.all()); n != 0 {
		t.Errorf("%d records were stored", n)
	}
}
