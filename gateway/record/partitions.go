package record

import "sync/atomic"

// Partitions is what is known of a topic's partitions at one moment. It is never changed once published.
type Partitions struct {
	Topic     string
	Count     int32   // all partitions
	Available []int32 // those with a leader now, ascending; empty if none has one
	Load      []*Load // per partition; nil when nobody asked for it (see Load)
}

// Load is the work that waits for one partition, for partitioners that avoid slow ones (KIP-794).
type Load struct {
	Bytes   atomic.Int64 // appended and not yet acknowledged
	LastAck atomic.Int64 // when the last acknowledgement came, in Unix milliseconds; kept with partitioner.availability.timeout.ms only
}
