package metrics

import (
	"strconv"
	"sync/atomic"
	"time"
)

// HTTP counts the requests of the data plane. It takes no lock and allocates nothing.
type HTTP struct {
	names  []string
	routes []httpRoute
}

// maxStatus is the largest status that is counted under its own number.
const maxStatus = 599

type httpRoute struct {
	statuses [maxStatus + 1]atomic.Uint64 // index 0 is any status outside 100..599
	buckets  [len(bounds) + 1]atomic.Uint64
	nanos    atomic.Uint64
	bytes    atomic.Uint64
}

// bounds is the inclusive upper bounds of the buckets of sluice_http_request_duration_seconds; the last bucket has none.
var bounds = [...]time.Duration{ //nolint:gochecknoglobals // a table that is only read
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, 120 * time.Second,
}

// NewHTTP counts requests of the given routes. The first one also stands for numbers that are no route.
func NewHTTP(routes []string) *HTTP {
	if len(routes) == 0 {
		routes = []string{"none"}
	}
	return &HTTP{names: routes, routes: make([]httpRoute, len(routes))}
}

// Observe counts a request to a route, given by its place in what NewHTTP got, that was answered with status after d, and
// of whose body bytesIn bytes were read.
func (h *HTTP) Observe(route, status int, d time.Duration, bytesIn int) {
	if uint(route) >= uint(len(h.routes)) {
		route = 0
	}
	if status < 100 || status > maxStatus {
		status = 0
	}
	d = max(d, 0)
	b := 0
	for b < len(bounds) && d > bounds[b] {
		b++
	}
	r := &h.routes[route]
	r.statuses[status].Add(1)
	r.buckets[b].Add(1)
	r.nanos.Add(uint64(d))
	if bytesIn > 0 {
		r.bytes.Add(uint64(bytesIn))
	}
}

func (h *HTTP) collect(e *emitter) {
	for i := range h.routes {
		name, r := h.names[i], &h.routes[i]
		for status := range r.statuses {
			if n := r.statuses[status].Load(); n > 0 {
				e.emit("sluice_http_requests_total", float64(n), name, statusLabel(status))
			}
		}
		e.emit("sluice_http_request_bytes_total", float64(r.bytes.Load()), name)
		count, buckets := r.cumulative()
		e.histogram("sluice_http_request_duration_seconds", count, time.Duration(r.nanos.Load()).Seconds(), buckets, name)
	}
}

// cumulative returns the number of requests, and for each bound in seconds how many took at most that long.
func (r *httpRoute) cumulative() (uint64, map[float64]uint64) {
	var n uint64
	buckets := make(map[float64]uint64, len(bounds))
	for b, bound := range bounds {
		n += r.buckets[b].Load()
		buckets[bound.Seconds()] = n
	}
	return n + r.buckets[len(bounds)].Load(), buckets
}

func statusLabel(status int) string {
	if status == 0 {
		return "other"
	}
	return strconv.Itoa(status)
}
