package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// decoded is a request as a server sees it.
type decoded struct {
	path, query, contentType, key string
	lines                         []string
}

func decode(t *testing.T, raw []byte) decoded {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(raw))
	r, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("net/http cannot read the request: %v\n%s", err, raw)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || in.Buffered() > 0 {
		t.Fatalf("body: %v, %d bytes behind it", err, in.Buffered())
	}
	return decoded{
		r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("X-Kafka-Key"),
		strings.Split(strings.TrimSuffix(string(body), "\n"), "\n"),
	}
}

func TestRequestIsWhatTheShapeSays(t *testing.T) {
	f := func(base string, s shape, want decoded, records, size int) {
		t.Helper()
		u, err := parseTarget(base)
		if err != nil {
			t.Fatal(err)
		}
		got := decode(t, newRequest(u, s).turn())
		if got.path != want.path || got.query != want.query || got.contentType != want.contentType || got.key != want.key {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if len(got.lines) != records {
			t.Fatalf("%d records, want %d", len(got.lines), records)
		}
		for _, line := range got.lines {
			value := []byte(line)
			if s.dialect == dialectRecords {
				var r struct {
					Key   *string
					Value json.RawMessage
				}
				if err := json.Unmarshal(value, &r); err != nil || (r.Key != nil) != (s.keys > 0) {
					t.Fatalf("%s: %v, key %v", line, err, r.Key)
				}
				value = r.Value
			}
			if len(value) != size || !json.Valid(value) {
				t.Errorf("%s: %d bytes, want JSON of %d", value, len(value), size)
			}
		}
	}
	f("http://h:1", shape{topic: "a b/c", dialect: dialectRaw, records: 1, size: 256},
		decoded{path: "/v1/topics/a%20b%2Fc/records", contentType: "application/octet-stream"}, 1, 256)
	f("http://h:1/pre/", shape{topic: "t", dialect: dialectRaw, ack: ackQueued, records: 1, size: 3, keys: 5},
		decoded{path: "/pre/v1/topics/t/records", query: "ack=queued", contentType: "application/octet-stream", key: "k00000000"}, 1, 3)
	f("http://h", shape{topic: "t", dialect: dialectNDJSON, records: 250, size: 9},
		decoded{path: "/v1/topics/t/records", contentType: "application/x-ndjson"}, 250, 9)
	f("http://h:1", shape{topic: "t", dialect: dialectRecords, records: 7, size: 8},
		decoded{path: "/v1/topics/t/records", contentType: "application/vnd.sluice.records+ndjson"}, 7, 8)
	f("http://h:1", shape{topic: "t", dialect: dialectRecords, records: 7, size: 100, keys: 3},
		decoded{path: "/v1/topics/t/records", contentType: "application/vnd.sluice.records+ndjson"}, 7, 100)
}

func TestEveryKeyIsUsedEquallyOften(t *testing.T) {
	base := &url.URL{Scheme: "http", Host: "h:1"}
	for _, s := range []shape{
		{topic: "t", dialect: dialectRaw, records: 1, size: 10, keys: 12},
		{topic: "t", dialect: dialectRecords, records: 8, size: 10, keys: 12},
	} {
		r := newRequest(base, s).clone(3)
		seen := map[string]int{}
		for range 24 {
			d := decode(t, r.turn())
			if s.dialect == dialectRaw {
				seen[d.key]++
				continue
			}
			for _, line := range d.lines {
				var rec struct{ Key string }
				if err := json.Unmarshal([]byte(line), &rec); err != nil {
					t.Fatal(err)
				}
				seen[rec.Key]++
			}
		}
		for key, n := range seen {
			if len(seen) != 12 || n != 2*s.records {
				t.Errorf("%s: %d keys, %s used %d times; want 12, each %d times", s.dialect, len(seen), key, n, 2*s.records)
			}
		}
	}
}

func TestClonesDoNotShareBytes(t *testing.T) {
	r := newRequest(&url.URL{Host: "h:1"}, shape{topic: "t", dialect: dialectRaw, records: 1, size: 10, keys: 1000})
	a, b := r.clone(1), r.clone(2)
	before := string(a.turn())
	b.turn()
	if after := string(a.bytes); after != before {
		t.Errorf("one connection's key changed another's request:\n%s\n%s", before, after)
	}
	if decode(t, a.bytes).key == decode(t, b.bytes).key {
		t.Error("two connections begin with the same key")
	}
}
