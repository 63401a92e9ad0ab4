//go:build !race

package ingest

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

const maxAllocsPerRequest = 6 // of the whole gateway; ingest alone needs one, which is fasthttp's

// allocations is the mean number of allocations of one request, over a connection in memory.
func allocations(t *testing.T, s *fasthttp.Server, request []byte) float64 {
	t.Helper()
	const n = 2000
	serve := func(n int) {
		if err := s.ServeConn(&loopConn{request: request, left: n}); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	serve(200) // fills the pools
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	serve(n)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / n
}

func TestAllocations(t *testing.T) {
	s, _ := benchServer()
	value := strings.Repeat("x", benchRecord)
	for _, tt := range []struct {
		name    string
		request []byte
		most    float64
	}{
		{"raw", httpRequest("application/json", value), 1.5},
		{"raw with key and headers", httpRequest("application/json", value, "X-Kafka-Key: k", "X-Kafka-Header-a: b",
			"X-Kafka-Partition: 1", "X-Kafka-Timestamp: 1700000000000", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), 1.5},
		{"raw with a query", bytes.Replace(httpRequest("application/json", value), []byte("/records"), []byte("/records?ack=delivered&results=all"), 1), 1.5},
		{"one line", httpRequest("application/x-ndjson", ndjson(1)), 2},
		{"1000 lines", httpRequest("application/x-ndjson", ndjson(1000)), maxAllocsPerRequest},
		{"one envelope", httpRequest("application/vnd.sluice.records+ndjson", envelopes(1)), 2},
		{"1000 envelopes", httpRequest("application/vnd.sluice.records+ndjson", envelopes(1000)), maxAllocsPerRequest},
	} {
		if got := allocations(t, s.http, tt.request); got > tt.most {
			t.Errorf("%s: %.2f allocations per request, more than %v", tt.name, got, tt.most)
		}
	}
}
