package ingest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

const recordsPath = "/v1/topics/orders/records"

func value(s string) stored {
	return stored{Value: []byte(s), Partition: record.NoPartition, Timestamp: record.NoTimestamp}
}

func TestRawRecord(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 12<<10) // 192 KiB: read in pieces
	r := newRig(t, testConfig(), testTopic())
	for _, tt := range []struct {
		name    string
		body    string
		headers []string
		want    func(r *stored)
	}{
		{name: "as curl sends it", body: `{"a":1}`, headers: []string{"Content-Type: application/x-www-form-urlencoded"}},
		{name: "multipart is bytes too", body: "--x\r\n\r\n--x--", headers: []string{"Content-Type: multipart/form-data; boundary=x"}},
		{name: "bytes", body: "\x00\xff\n\r\n"},
		{name: "large", body: large},
		{name: "key", body: "v", headers: []string{"X-Kafka-Key: k-1"}, want: func(r *stored) { r.Key = []byte("k-1") }},
		{name: "empty key", body: "v", headers: []string{"X-Kafka-Key: "}, want: func(r *stored) { r.Key = []byte{} }},
		{name: "base64 key", body: "v", headers: []string{"x-kafka-KEY-base64: AP8="}, want: func(r *stored) { r.Key = []byte{0, 255} }},
		{
			name: "URL base64 without padding", body: "v", headers: []string{"X-Kafka-Key-Base64: _-8"},
			want: func(r *stored) { r.Key = []byte{0xff, 0xef} },
		},
		{
			name: "partition", body: "v", headers: []string{"X-Kafka-Partition: 3"},
			want: func(r *stored) { r.Partition, r.Explicit = 3, true },
		},
		{
			name: "partition 0", body: "v", headers: []string{"X-Kafka-Partition: 0"},
			want: func(r *stored) { r.Partition, r.Explicit = 0, true },
		},
		{
			name: "timestamp in ms", body: "v", headers: []string{"X-Kafka-Timestamp: 1700000000123"},
			want: func(r *stored) { r.Timestamp = 1700000000123 },
		},
		{
			name: "timestamp RFC 3339", body: "v", headers: []string{"X-Kafka-Timestamp: 2023-11-14T23:13:20.5+01:00"},
			want: func(r *stored) { r.Timestamp = 1700000000500 },
		},
		{
			name: "headers keep their case", body: "v", headers: []string{"x-KAFKA-header-fooBAR: x y", "X-Kafka-Header-bin-Base64: AAE="},
			want: func(r *stored) { r.Headers = []string{"bin=\x00\x01", "fooBAR=x y"} },
		},
		{
			name: "trace context", body: "v", headers: []string{"Traceparent: 00-ab-cd-01", "TraceState: k=v"},
			want: func(r *stored) { r.Headers = []string{"traceparent=00-ab-cd-01", "tracestate=k=v"} },
		},
		{
			name: "tombstone", headers: []string{"X-Kafka-Tombstone: true", "X-Kafka-Key: k"},
			want: func(r *stored) { r.Key, r.Value = []byte("k"), nil },
		},
		{name: "no tombstone", body: "v", headers: []string{"X-Kafka-Tombstone: FALSE"}},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/chunked=%v", tt.name, chunked), func(t *testing.T) {
				r := r.in(t)
				got := r.do("POST", recordsPath, bodyOf(tt.body, chunked), tt.headers...)
				if got.status != http.StatusOK {
					t.Fatal(got)
				}
				want := value(tt.body)
				if tt.want != nil {
					tt.want(&want)
				}
				records := r.topic.all()
				if len(records) == 1 {
					sortHeaders(records[0].Headers) // net/http sends them in no order
				}
				if diff := cmp.Diff([]stored{want}, records); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestRawAnswer(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	got := r.post(recordsPath, "v", "X-Kafka-Partition: 7", "X-Kafka-Timestamp: 1700000000123")
	if want := `{"topic":"orders","partition":7,"offset":0,"timestamp":1700000000123}`; got.body != want || got.status != 200 {
		t.Errorf("got %v, want %s", got, want)
	}
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("content type %q", ct)
	}
	r.topic.send = func(_ *memTopic, b *record.Batch) { // acks=0
		b.Complete(0, record.Ack{Offset: record.NoOffset, Timestamp: 5, Partition: 1, Code: record.Stored})
	}
	got = r.post(recordsPath, "v")
	if want := `{"topic":"orders","partition":1,"offset":null,"timestamp":5}`; got.body != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestTopicInPath(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for path, want := range map[string]int{
		"/v1/topics/orders/records":          200,
		"/v1/topics/%6frde%72s/records":      200,
		"/v1/topics/orders/records?ack=":     200,
		"/v1/topics/orders/records?x=1":      400,
		"/v1/topics/orders%2Frecords":        404, // no route: an encoded slash does not separate
		"/v1/topics/x%2F..%2Forders/records": 404,
		"/v1/topics/a/../orders/records":     404,
		"/v1/topics//records":                404,
		"/v1/topics/orders/":                 404,
		"/v1/topics/orders/records/":         404,
		"/v1/topics/other/records":           404,
		"/v2/topics/orders/records":          404,
		"/":                                  404,
	} {
		w := r.dial()
		w.write("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv")
		if got := w.read(); got.status != want {
			t.Errorf("%s: %v, want %d", path, got, want)
		}
	}
}

func TestQueryParameters(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for query, want := range map[string]string{
		"?acks=queued":              `query parameter \"acks\" is unknown; there are ack and results`,
		"?ack=queued&result=errors": `query parameter \"result\" is unknown; there are ack and results`,
		"?Ack=queued":               `query parameter \"Ack\" is unknown`,
		"?a%63k%00=queued":          `query parameter \"ack\\x00\" is unknown`,
		"?topic=orders":             `query parameter \"topic\" is unknown`,
		"?=1":                       `query parameter \"\" is unknown`,
		"?queued":                   `query parameter \"queued\" is unknown`,
		"?ack=queued&ack=delivered": "query parameter ack is given twice",
		"?ack=now":                  `ack is \"now\"; it is delivered or queued`,
		"?results=none":             `results is \"none\"; it is all or errors`,
		"?ack=":                     "",
		"?":                         "",
		"?ack=delivered&":           "",
		"?%61ck=delivered&results":  "",
	} {
		got := r.post(recordsPath+query, "v")
		if want == "" && got.status == 200 {
			continue
		}
		if got.status != 400 || want == "" || !strings.Contains(got.body, want) {
			t.Errorf("%s: %v, want %q", query, got, want)
		}
	}
}

func TestRefusedBeforeSend(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, tt := range []struct {
		name    string
		method  string
		path    string
		body    string
		headers []string
		status  int
		code    string
		says    string
	}{
		{name: "empty body", status: 400, code: "invalid_request", says: "X-Kafka-Tombstone: true"},
		{name: "tombstone with body", body: "v", headers: []string{"X-Kafka-Tombstone: true"}, status: 400, says: "not empty"},
		{name: "tombstone is yes", headers: []string{"X-Kafka-Tombstone: yes"}, status: 400, says: "true or false"},
		{name: "tombstone of lines", headers: []string{"X-Kafka-Tombstone: true", "Content-Type: application/x-ndjson"}, status: 400},
		{name: "negative partition", body: "v", headers: []string{"X-Kafka-Partition: -1"}, status: 400, says: "X-Kafka-Partition"},
		{name: "partition of no number", body: "v", headers: []string{"X-Kafka-Partition: one"}, status: 400, says: "one"},
		{name: "partition over int32", body: "v", headers: []string{"X-Kafka-Partition: 2147483648"}, status: 400},
		{name: "timestamp", body: "v", headers: []string{"X-Kafka-Timestamp: yesterday"}, status: 400, says: "RFC 3339"},
		{name: "partition with a sign", body: "v", headers: []string{"X-Kafka-Partition: +1"}, status: 400, says: "+1"},
		{name: "two partitions", body: "v", headers: []string{"X-Kafka-Partition: 0", "x-kafka-partition: 0"}, status: 400, says: "twice"},
		{name: "two timestamps", body: "v", headers: []string{"X-Kafka-Timestamp: 5", "X-Kafka-Timestamp: 5"}, status: 400, says: "twice"},
		{name: "two tombstones", body: "v", headers: []string{"X-Kafka-Tombstone: false", "X-Kafka-Tombstone: false"}, status: 400, says: "twice"},
		{name: "two tombstones that differ", headers: []string{"X-Kafka-Tombstone: false", "X-Kafka-Tombstone: true"}, status: 400, says: "twice"},
		{name: "timestamp with a sign", body: "v", headers: []string{"X-Kafka-Timestamp: +5"}, status: 400, says: "+5"},
		{name: "negative timestamp", body: "v", headers: []string{"X-Kafka-Timestamp: -5"}, status: 400},
		{name: "two keys", body: "v", headers: []string{"X-Kafka-Key: a", "X-Kafka-Key-Base64: YQ=="}, status: 400, says: "twice"},
		{name: "no base64", body: "v", headers: []string{"X-Kafka-Key-Base64: ***"}, status: 400, says: "base64"},
		{name: "header of no base64", body: "v", headers: []string{"X-Kafka-Header-a-Base64: ***"}, status: 400, says: "base64"},
		{name: "unknown header", body: "v", headers: []string{"X-Kafka-Keys: a"}, status: 400, says: "Keys"},
		{name: "ack", path: "?ack=maybe", body: "v", status: 400, says: "maybe"},
		{name: "results", path: "?results=none", body: "v", status: 400, says: "none"},
		{name: "unknown encoding", body: "v", headers: []string{"Content-Encoding: br"}, status: 415, code: "unsupported_media_type", says: "br"},
		{name: "two encodings", body: "v", headers: []string{"Content-Encoding: gzip, zstd"}, status: 415, says: "one encoding"},
		{name: "two encoding headers", body: "v", headers: []string{"Content-Encoding: gzip", "content-encoding: zstd"}, status: 415},
		{name: "too many headers", body: "v", headers: manyHeaders(17), status: 413, code: "headers_too_large", says: "max.record.headers = 16"},
		{
			name: "too large headers", body: "v", headers: []string{"X-Kafka-Header-a: " + strings.Repeat("x", 1024)}, status: 413,
			code: "headers_too_large", says: "max.record.header.bytes = 1024",
		},
		{name: "method", method: "PUT", body: "v", status: 405, says: "POST"},
		{name: "method get", method: "GET", status: 405, says: "POST"},
		{name: "bad escape", path: "%", status: 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := r.in(t)
			w := r.dial()
			w.write(method(tt.method) + " " + recordsPath + tt.path + " HTTP/1.1\r\nHost: x\r\n" + lines(tt.headers) +
				fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(tt.body), tt.body))
			got := w.read()
			checkProblem(t, got, tt.status, tt.code, tt.says)
			if n := len(r.topic.all()); n != 0 {
				t.Errorf("%d records were stored", n)
			}
			// The connection is fit for the next request.
			w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv")
			if got := w.read(); got.status != 200 {
				t.Errorf("after it: %v", got)
			}
		})
	}
}

func TestMethodNotAllowedSaysWhatIs(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for path, allow := range map[string]string{recordsPath: "POST", "/healthz": "GET, HEAD", "/readyz": "GET, HEAD"} {
		got := r.do("DELETE", path, nil)
		if got.status != 405 || got.header.Get("Allow") != allow {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func method(m string) string {
	if m == "" {
		return "POST"
	}
	return m
}

func lines(headers []string) string {
	if len(headers) == 0 {
		return ""
	}
	return strings.Join(headers, "\r\n") + "\r\n"
}

func manyHeaders(n int) []string {
	var h []string
	for i := range n {
		h = append(h, fmt.Sprintf("X-Kafka-Header-h%d: v", i))
	}
	return h
}
