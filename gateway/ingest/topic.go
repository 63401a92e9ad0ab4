package ingest

import (
	"time"

	"sluice/gateway/record"
)

// Topics finds a configured topic. name must not be kept.
type Topics interface {
	Topic(name []byte) (Topic, *record.Error)
}

// Topic takes batches through the way of a record.
type Topic interface {
	Name() string
	// Send takes a batch that was started. Every record gets exactly one Ack, and the batch's Done is called exactly once,
	// possibly before Send returns. Send blocks while the topic's policy lets it wait for memory (max.block.ms); the
	// caller pays for the batch until it returns. A record may be routed to another topic before Send returns, and not
	// later. The answer names that topic: Record.Topic must be valid until the batch ends, also after ReleaseBytes.
	Send(b *record.Batch)
	// BatchMemory is the size in bytes at which a batch is sent and the next one begun.
	BatchMemory() int
	// MaxRecordBytes is max.request.size: the key, value and headers of one record together.
	MaxRecordBytes() int
	// AwaitTimeout is how long a request waits for acknowledgements after its last batch was sent.
	AwaitTimeout() time.Duration
}

// Observer is told of every answered request. It must be quick: it runs before the answer is written.
type Observer interface {
	// Request says which route was answered with which HTTP status, how long after its headers had been read, and how
	// many bytes of body were read.
	Request(route Route, status int, d time.Duration, bytesIn int)
}

// Route is an entry of the route table.
type Route uint8

// The routes. RouteNone stands for requests that match none, and for those that could not be parsed.
const (
	RouteNone Route = iota
	RouteRecords
	RouteTransactions
	RouteHealth
	RouteReady
	numRoutes
)

// Routes returns every Route, in order.
func Routes() []Route {
	all := make([]Route, numRoutes)
	for i := range all {
		all[i] = Route(i)
	}
	return all
}

// String returns the name of the route as metrics show it.
func (r Route) String() string {
	switch r {
	case RouteRecords:
		return "records"
	case RouteTransactions:
		return "transactions"
	case RouteHealth:
		return "healthz"
	case RouteReady:
		return "readyz"
	default:
		return "none"
	}
}
