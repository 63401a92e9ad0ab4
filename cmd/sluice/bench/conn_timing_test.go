package bench

import (
	"net/url"
	"testing"

	"github.com/valyala/fasthttp"
)

// The generator shares the machine with what it measures, so its own cost matters: CPU per request of one connection,
// beside fasthttp's client.
func BenchmarkExchange(b *testing.B) {
	b.Setenv(asSluice, "1")
	server, err := startChild(b.Context(), "do-nothing server", "bench", "__nothing")
	if err != nil {
		b.Fatal(err)
	}
	defer server.stop()
	address, err := server.firstLine(grace)
	if err != nil {
		b.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: address}
	b.Run("conn", func(b *testing.B) { exchangeOwn(b, base) })
	b.Run("fasthttp", func(b *testing.B) { exchangeFasthttp(b, base) })
}

func exchangeOwn(b *testing.B, base *url.URL) {
	b.Helper()
	b.ReportAllocs()
	request := newRequest(base, shape{topic: "t", dialect: dialectRaw, records: 1, size: 256})
	c := newConn(b.Context(), base.Host)
	defer c.close()
	before := ownCPU()
	for b.Loop() {
		if status, err := c.exchange(request.turn()); status != 200 || err != nil {
			b.Fatal(status, err)
		}
	}
	b.ReportMetric(per(ownCPU()-before, int64(b.N)), "µs-CPU/op")
}

func exchangeFasthttp(b *testing.B, base *url.URL) {
	b.Helper()
	b.ReportAllocs()
	client := &fasthttp.HostClient{Addr: base.Host}
	body := values(256, 1)[0]
	url := base.String() + "/v1/topics/t/records"
	before := ownCPU()
	for b.Loop() {
		request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		request.Header.SetMethod(fasthttp.MethodPost)
		request.SetRequestURI(url)
		request.SetBodyRaw(body)
		if err := client.Do(request, response); err != nil || response.StatusCode() != 200 {
			b.Fatal(response.StatusCode(), err)
		}
		fasthttp.ReleaseRequest(request)
		fasthttp.ReleaseResponse(response)
	}
	b.ReportMetric(per(ownCPU()-before, int64(b.N)), "µs-CPU/op")
}

func BenchmarkHistogram(b *testing.B) {
	b.ReportAllocs()
	h := newHistogram()
	for b.Loop() {
		h.add(123_456)
	}
}
