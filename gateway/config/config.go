package config

import "time"

// Config is a whole configuration, complete and valid: every setting has its value.
type Config struct {
	File            string        // where it came from; "" when the built-in defaults are used
	ShutdownTimeout time.Duration // shutdown.timeout.ms
	Kafka           Kafka
	HTTP            HTTP
	Admin           Admin
	Wasm            Wasm
	Transactions    Transactions
	Log             Log
	Embedded        Embedded
	Schema          Schema

	topics  []topicTable   // one per [topics.*] table, longest literal prefix first
	exact   map[string]int // those without a glob: name to index in topics
	reports []Section      // the sections that are not a topic's
}

// Kafka is [kafka]: the cluster, and what all its clients share.
type Kafka struct {
	Bootstrap        []string // bootstrap.servers; ["embedded"] for the in-process broker
	MetadataMaxAge   time.Duration
	AutoCreateTopics bool // auto.create.topics: create a configured topic that the cluster does not have
	Security         Security
}

// IsEmbedded says whether the in-process broker is to be used.
func (k *Kafka) IsEmbedded() bool { return len(k.Bootstrap) == 1 && k.Bootstrap[0] == "embedded" }

// Security is Kafka's security.*, sasl.* and ssl.* properties.
type Security struct {
	Protocol      string // PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
	SASLMechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	SASLUsername  string
	SASLPassword  string
	TLSCAFile     string // ssl.truststore.location, PEM
	TLSCertFile   string // ssl.keystore.certificate.chain.location, PEM
	TLSKeyFile    string // ssl.keystore.key.location, PEM
	TLSServerName string
}

// Embedded is [embedded]: the in-process broker for trying out.
type Embedded struct {
	Listen        string // listen, host:port
	DataDir       string // data.dir; "" keeps records in memory only
	NumPartitions int    // num.partitions of topics it creates
}

// HTTP is [http]: the data plane and its limits. Every limit is named in the error it causes.
type HTTP struct {
	Listen               string
	MaxBodyBytes         int           // max.body.bytes: a request body as sent
	MaxInflatedBytes     int           // max.inflated.bytes: what a compressed body may inflate to
	MaxRecordsPerRequest int           // max.records.per.request
	MaxHeaders           int           // max.record.headers
	MaxHeaderBytes       int           // max.record.header.bytes: names and values of one record's headers together
	ReadBufferBytes      int           // read.buffer.bytes: the request line and HTTP headers
	MaxConnections       int           // max.connections
	ReceiveMemory        int           // receive.memory: request bodies being received, all connections together
	ReadTimeout          time.Duration // read.timeout.ms: a whole request
	WriteTimeout         time.Duration // write.timeout.ms
	IdleTimeout          time.Duration // idle.timeout.ms: between two requests
	Idempotency          Idempotency
}

// Admin is [admin]: metrics and the admin API.
type Admin struct {
	Listen      string
	ReadTimeout time.Duration // read.timeout.ms: the body of a request
}

// Log is [log].
type Log struct {
	Level  string // debug, info, warn, error
	Format string // text, json
}

// Topic is the effective settings of one topic. What its slices and pointers lead to is shared, and must not be changed.
type Topic struct {
	Name     string
	Table    string // the [topics.*] pattern that matched, for example "orders" or "logs.*"
	Profile  string // "" if none
	Producer Producer
	// Partitioner is the name of a built-in partitioner: murmur2, crc32, fnv1a, round-robin, sticky, uniform-bytes.
	// With a PartitionerModule it is the one that takes over where the module does not choose.
	Partitioner       string
	PartitionerModule *Binding // nil if none
	Interceptors      []Binding
	RateLimit         RateLimit
	Key, Value        *Serializer // nil: as they come
	KeyFrom           *From       // key.from; nil if there is none
	TimestampFrom     *From       // timestamp.from
	HeadersFrom       []From      // header.from
	Spool             Spool       // without a folder if there is none
	DeadLetter        DeadLetter  // without a topic if there is none, which no Binding with dlq goes with
}

// Compression is compression.type with its level.
type Compression struct {
	Type  string // none, gzip, snappy, lz4, zstd
	Level int    // Java's scale of that codec
}

// Producer is Kafka's producer properties that this gateway honours, for one topic.
// Fields up to ClientID are client-wide in Kafka's protocol: topics that agree in them share a client.
type Producer struct {
	Acks                      int // acks: -1 (all), 0, 1
	Idempotence               bool
	MaxInFlight               int // max.in.flight.requests.per.connection
	Retries                   int
	Linger                    time.Duration
	RequestTimeout            time.Duration
	RetryBackoff              time.Duration
	RetryBackoffMax           time.Duration
	ReconnectBackoff          time.Duration
	ReconnectBackoffMax       time.Duration
	ConnectionsMaxIdle        time.Duration
	ConnectionSetupTimeout    time.Duration
	SendBuffer, ReceiveBuffer int // send.buffer.bytes, receive.buffer.bytes; -1 leaves it to the system
	Compression               Compression
	EnableMetricsPush         bool
	ClientID                  string

	BatchSize            int // batch.size
	MaxRequestSize       int // max.request.size
	BufferMemory         int64
	BufferRecords        int64 // buffer.records; 0 is no limit
	MaxBlock             time.Duration
	DeliveryTimeout      time.Duration
	IgnoreKeys           bool          // partitioner.ignore.keys
	AdaptivePartitioning bool          // partitioner.adaptive.partitioning.enable
	AvailabilityTimeout  time.Duration // partitioner.availability.timeout.ms
}
