package metrics

import "time"

// Snapshot is what the producer tells about itself at one moment.
//
// Counts are totals since their Source began. Maxima are those since the snapshot before, so they are to be taken with
// atomic Swap(0), by nobody else. A Source that ends should stay in the snapshots until its counts rest; what it counts
// after its last snapshot is lost.
type Snapshot struct {
	Topics   []Topic
	Outcomes []Outcome
	Clients  []Client
	Cluster  Cluster
	Bindings []Binding
}

// Topic is one topic of the producer.
type Topic struct {
	// Source tells these counts from any other, for example the *producer.Topic: two entries of a snapshot never have the
	// same, and counts that begin at zero have a new one. It must be comparable. It is never shown.
	Source any
	Name   string // in the cluster; only for the log
	Table  string // the [topics.*] pattern that matched: the label

	Appended  int64 // records accepted into the buffer
	Acked     int64 // records that Kafka stored
	Failed    int64 // records that ended with an error after they were accepted
	Refused   int64 // records that were not accepted
	Exhausted int64 // of those, for want of buffer.memory
	Bytes     int64 // key, value and headers of accepted records
	MaxRecord int64 // bytes of the largest accepted record

	Wait        time.Duration // spent waiting for buffer.memory, summed over requests
	Queue       time.Duration // from acceptance to acknowledgement, summed over QueueGroups
	QueueGroups int64         // groups of records that were accepted together and are all answered
	MaxQueue    time.Duration // of one group

	OnAckDropped int64 // acknowledgements that the topic's interceptors never saw, because their queue was full

	DeadLetters       int64 // records that are in the dead-letter topic
	DeadLettersFailed int64 // records that should be there and are not
	DeadLetterMemory  int64 // bytes that letters hold that are not stored yet

	Spooled      int64 // records that were put into the spool
	SpoolRefused int64 // records that it did not take
	SpoolStored  int64 // records out of it that Kafka stored
	SpoolAgain   int64 // records out of it that were sent again
	SpoolTwice   int64 // of those, records that may be stored twice
	SpoolLost    int64 // records out of it that were refused for their own sake, or could not be read, and are nowhere else
	SpoolSyncs   int64
	SpoolSync    time.Duration // spent in fsync, summed over SpoolSyncs
	MaxSpoolSync time.Duration // of one
	SpoolWaiting int64         // records in it that are not stored
	SpoolBytes   int64         // that it takes on disk
	SpoolAge     time.Duration // of the oldest record in it

	BufferTotal     int64 // buffer.memory, bytes
	BufferAvailable int64 // of it, not taken by records
	BufferRecords   int64 // records that were accepted and are not yet acknowledged
	Waiting         int64 // requests that wait for it
}

// used says how much of buffer.memory is taken, from 0 to 1.
func (t *Topic) used() float64 {
	if t.BufferTotal <= 0 {
		return 0
	}
	return 1 - float64(t.BufferAvailable)/float64(t.BufferTotal)
}

// Outcome is how records of one topic ended.
type Outcome struct {
	Source any    // as in Topic
	Table  string // the [topics.*] pattern that matched: a label
	Code   string // a label
	Class  string // a label; it follows from Code

	Records int64
}

// Client is one Kafka client of the producer.
type Client struct {
	Source    any    // as in Topic
	ID        string // client.id: the label
	BatchSize int64  // batch.size of its topics, the largest where they differ; 0 if it is not known

	Requests    int64         // produce requests written
	Batches     int64         // record batches in them, those sent again included
	Records     int64         // records in them
	BatchBytes  int64         // bytes of the batches as sent
	MaxBatch    int64         // bytes of the largest
	Retries     int64         // records that had to be sent again
	InFlight    int64         // requests without a response
	Responses   int64         // responses read; with acks=0 there are none
	Latency     time.Duration // from request written to response read, summed over responses
	MaxLatency  time.Duration
	Throttle    time.Duration // that brokers imposed, summed over responses
	MaxThrottle time.Duration // the largest of those

	Uncompressed int64 // bytes of acknowledged batches before compression
	Compressed   int64 // and after
	Connections  int64 // open now
	Replacements int64 // of the kgo client, because it failed for good
}

// Cluster is the Kafka cluster as the producer sees it.
type Cluster struct {
	Open        int64         // records accepted and not yet acknowledged
	Ready       bool          // it answered lately
	MetadataAge time.Duration // since the topics' metadata were last fetched
}

// Binding is a module as one topic uses it.
type Binding struct {
	Source any    // as in Topic
	Module string // a label
	Table  string // the [topics.*] pattern of the topic: a label

	Compared     int64 // records that a shadow saw
	Differed     int64 // of those, records of which it made something else than the active version
	DeadLettered int64 // records that went to the dead-letter topic
}

// reading is one entry of a snapshot as numbers. All times are nanoseconds.
type reading struct {
	label    string
	source   any
	counters [numCounters]int64
	peaks    [numPeaks]int64
	levels   [numLevels]float64
}

// total is a number that only grows.
type total uint8

const (
	appended total = iota
	acked
	failed
	refused
	exhausted
	recordBytes
	wait
	queue
	queueGroups
	onAckDropped
	deadLetters
	deadLettersFailed
	spooled
	spoolRefused
	spoolStored
	spoolAgain
	spoolTwice
	spoolLost
	spoolSyncs
	spoolSync

	ended

	requests
	batches
	records
	batchBytes
	retries
	responses
	latency
	throttle
	uncompressed
	compressed
	replacements

	compared
	differed
	deadLettered
	numCounters
)

// peak is the largest of some values.
type peak uint8

const (
	maxRecord peak = iota
	maxQueue
	maxSpoolSync
	maxBatch
	maxLatency
	maxThrottle
	numPeaks
)

// level is a number that goes up and down.
type level uint8

const (
	bufferTotal level = iota
	bufferAvailable
	bufferRecords
	waiting
	nearlyFull // topics
	deadLetterMemory
	spoolWaiting
	spoolBytes
	spoolAge // the largest, not the sum
	inFlight
	connections
	batchSize // the largest, not the sum
	open
	ready
	metadataAge
	numLevels
)

func (t *Topic) reading() reading {
	r := reading{label: t.Table, source: t.Source}
	r.counters = [numCounters]int64{
		appended: t.Appended, acked: t.Acked, failed: t.Failed, refused: t.Refused, exhausted: t.Exhausted,
		recordBytes: t.Bytes, wait: int64(t.Wait), queue: int64(t.Queue), queueGroups: t.QueueGroups,
		onAckDropped: t.OnAckDropped, deadLetters: t.DeadLetters, deadLettersFailed: t.DeadLettersFailed,
		spooled: t.Spooled, spoolRefused: t.SpoolRefused, spoolStored: t.SpoolStored, spoolAgain: t.SpoolAgain, spoolTwice: t.SpoolTwice,
		spoolLost: t.SpoolLost, spoolSyncs: t.SpoolSyncs, spoolSync: int64(t.SpoolSync),
	}
	r.peaks = [numPeaks]int64{maxRecord: t.MaxRecord, maxQueue: int64(t.MaxQueue), maxSpoolSync: int64(t.MaxSpoolSync)}
	r.levels = [numLevels]float64{
		bufferTotal: float64(t.BufferTotal), bufferAvailable: float64(t.BufferAvailable), bufferRecords: float64(t.BufferRecords), waiting: float64(t.Waiting),
		nearlyFull: number(t.used() > nearlyFullAt), deadLetterMemory: float64(t.DeadLetterMemory),
		spoolWaiting: float64(t.SpoolWaiting), spoolBytes: float64(t.SpoolBytes), spoolAge: float64(t.SpoolAge),
	}
	return r
}

func (o *Outcome) reading() reading {
	r := reading{label: o.Table + labelSeparator + o.Code + labelSeparator + o.Class, source: o.Source}
	r.counters = [numCounters]int64{ended: o.Records}
	return r
}

func (c *Client) reading() reading {
	r := reading{label: c.ID, source: c.Source}
	r.counters = [numCounters]int64{
		requests: c.Requests, batches: c.Batches, records: c.Records, batchBytes: c.BatchBytes, retries: c.Retries,
		responses: c.Responses, latency: int64(c.Latency), throttle: int64(c.Throttle),
		uncompressed: c.Uncompressed, compressed: c.Compressed, replacements: c.Replacements,
	}
	r.peaks = [numPeaks]int64{maxBatch: c.MaxBatch, maxLatency: int64(c.MaxLatency), maxThrottle: int64(c.MaxThrottle)}
	r.levels = [numLevels]float64{
		inFlight: float64(c.InFlight), connections: float64(c.Connections), batchSize: float64(c.BatchSize),
	}
	return r
}

func (b *Binding) reading() reading {
	r := reading{label: b.Module + labelSeparator + b.Table, source: b.Source}
	r.counters = [numCounters]int64{compared: b.Compared, differed: b.Differed, deadLettered: b.DeadLettered}
	return r
}

func (c *Cluster) reading() reading {
	return reading{levels: [numLevels]float64{
		open: float64(c.Open), ready: number(c.Ready), metadataAge: float64(c.MetadataAge),
	}}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
