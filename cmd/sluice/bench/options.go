package bench

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// The ack modes: 200 after the broker's acknowledgement, or 202 after the record is in the buffer.
const (
	ackDelivered = "delivered"
	ackQueued    = "queued"
)

// defaultTarget is where `sluice serve` listens unless it is told otherwise.
const defaultTarget = "http://127.0.0.1:8080"

// options are the flags of `sluice bench`.
type options struct {
	load     loadOptions
	kafka    kafkaOptions
	targets  []*url.URL // of the gateways to load; none for what is started here
	limit    bool
	overload bool
	idle     int
	rounds   int
	json     bool
	progress bool
}

// loadOptions say what is sent.
type loadOptions struct {
	connections int
	duration    time.Duration
	warmup      time.Duration
	timeout     time.Duration
	rate        float64
	requests    int64
	shape       shape
	pid         int
	admin       string
}

// unset is a flag that was not given, where 0 means something.
const unset = -1

// kafkaOptions are the settings that every contender which produces to Kafka shares, by Kafka's names.
type kafkaOptions struct {
	Bootstrap      string        `json:"bootstrap_servers"`                 // "" for a child that stores nothing
	BrokerRate     int64         `json:"broker_bytes_per_second,omitempty"` // of the child; 0 for no limit
	Partitions     int           `json:"partitions"`
	LingerMs       int           `json:"linger_ms"`
	BatchSize      int           `json:"batch_size"`
	MaxRequestSize int           `json:"max_request_size"`
	Compression    string        `json:"compression_type"`
	Acks           string        `json:"acks"`
	BufferMemory   int64         `json:"buffer_memory"`
	Idempotence    bool          `json:"enable_idempotence"`
	TopicSettings  []string      `json:"topic_settings,omitempty"` // further lines of Sluice's [topics.X] table
	startTimeout   time.Duration // for each child
}

func (o *options) register(f *pflag.FlagSet) {
	o.load.register(f)
	o.kafka.register(f)
	f.BoolVar(&o.limit, "limit", false, "measure Sluice beside a do-nothing fasthttp server and kgo in a tight loop, started here")
	f.BoolVar(&o.overload, "overload", false, "find the peak of a Sluice started here, then offer it twice as much")
	f.IntVar(&o.idle, "idle", 0, "open this many idle connections to a Sluice started here and report memory per connection")
	f.IntVar(&o.rounds, "rounds", 0, "how often to measure each contender, in turn (default 5 with --limit and with several URLs, else 1)")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.BoolVar(&o.progress, "progress", false, "tell of the progress on stderr also when it is not a terminal")
}

func (o *loadOptions) register(f *pflag.FlagSet) {
	f.StringVar(&o.shape.topic, "topic", "bench", "topic to send to")
	f.IntVar(&o.connections, "connections", 64, "keep-alive connections, each with one request at a time")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "how long to measure")
	f.DurationVar(&o.warmup, "warmup", 2*time.Second, "how long to load before measuring")
	f.DurationVar(&o.timeout, "timeout", 5*time.Second, "how long to wait for outstanding answers at the end")
	f.Float64Var(&o.rate, "rate", 0, "requests per second over all connections; 0 for as many as go")
	f.Int64Var(&o.requests, "requests", 0, "send exactly this many requests instead of measuring for a time (no warm-up)")
	f.IntVar(&o.shape.size, "size", 256, "bytes of a record's value")
	f.IntVar(&o.shape.records, "records", 1, "records per request; more than 1 are sent as NDJSON")
	f.StringVar(&o.shape.dialect, "dialect", "", "raw, ndjson or records (default raw for one record, else ndjson)")
	f.StringVar(&o.shape.ack, "ack", ackDelivered, "delivered: answered when the broker has acknowledged; queued: when buffered")
	f.IntVar(&o.shape.keys, "keys", 0, "distinct keys; 0 for records without a key")
	f.IntVar(&o.pid, "pid", 0, "process id of the server, to account its CPU and memory (default: ask --admin)")
	f.StringVar(&o.admin, "admin", "http://127.0.0.1:8081/metrics", "metrics of the server, asked for its CPU when there is no --pid")
}

func (o *kafkaOptions) register(f *pflag.FlagSet) {
	f.StringVar(&o.Bootstrap, "bootstrap-servers", "", "a real broker for what is started here (default: a child that stores nothing)")
	f.Int64Var(&o.BrokerRate, "broker-rate", unset, "bytes per second the child broker takes; 0 for no limit (the default, but with --overload it is to be the limit)")
	f.IntVar(&o.Partitions, "partitions", 3, "partitions of the topic created there")
	f.IntVar(&o.LingerMs, "linger-ms", 5, "linger.ms")
	f.IntVar(&o.BatchSize, "batch-size", 16384, "batch.size")
	f.IntVar(&o.MaxRequestSize, "max-request-size", 1048576, "max.request.size, which kgo takes for the largest batch")
	f.StringVar(&o.Compression, "compression", "none", "compression.type: none, gzip, snappy, lz4 or zstd")
	f.StringVar(&o.Acks, "acks", "all", "acks: all, 1 or 0; other than all, enable.idempotence is false")
	f.Int64Var(&o.BufferMemory, "buffer-memory", 0, "buffer.memory (default 67108864; with --overload, half of what can be in flight)")
	f.StringArrayVar(&o.TopicSettings, "set", nil, `a further line of Sluice's topic table, as 'partitioner = "murmur2"'; may be repeated`)
	o.startTimeout = 30 * time.Second
}

// check completes the options, with the default target unless something is started here, and names everything that is wrong with them.
func (o *options) check(urls []string) error {
	modes := 0
	for _, on := range []bool{o.limit, o.overload, o.idle != 0} {
		if on {
			modes++
		}
	}
	var errs []error
	if modes > 1 {
		errs = append(errs, errors.New("--limit, --overload and --idle exclude each other"))
	}
	if modes > 0 && len(urls) > 0 {
		errs = append(errs, fmt.Errorf("%s: --limit, --overload and --idle start their own server and take no URL", urls[0]))
	}
	if modes == 0 && len(urls) == 0 {
		urls = []string{defaultTarget}
	}
	if o.rounds == 0 {
		o.rounds = 1
		if o.limit || len(urls) > 1 {
			o.rounds = 5
		}
	}
	for _, s := range urls {
		u, err := parseTarget(s)
		o.targets = append(o.targets, u)
		errs = append(errs, err)
	}
	errs = append(errs, o.load.check(), o.kafka.check(),
		between("--rounds", o.rounds, 1, 1000), between("--idle", o.idle, 0, 1_000_000))
	return errors.Join(errs...)
}

func (o *loadOptions) check() error {
	s := &o.shape
	if s.dialect == "" {
		s.dialect = dialectRaw
		if s.records > 1 {
			s.dialect = dialectNDJSON
		}
	}
	errs := []error{
		between("--connections", o.connections, 1, 100_000), between("--size", s.size, 1, 1<<30),
		between("--records", s.records, 1, 1_000_000), between("--keys", s.keys, 0, maxKeys),
		between("--duration", o.duration, time.Millisecond, 24*time.Hour), between("--warmup", o.warmup, 0, time.Hour),
		between("--timeout", o.timeout, 0, time.Hour), between("--rate", o.rate, 0, 1e9),
		between("--requests", o.requests, 0, math.MaxInt64), between("--pid", o.pid, 0, math.MaxInt32),
		oneOf("--dialect", s.dialect, dialectRaw, dialectNDJSON, dialectRecords),
		oneOf("--ack", s.ack, ackDelivered, ackQueued),
	}
	if s.topic == "" {
		errs = append(errs, errors.New("--topic: is empty"))
	}
	if s.dialect == dialectRaw && s.records > 1 {
		errs = append(errs, fmt.Errorf("--records %d: a raw request is one record; take --dialect ndjson or records", s.records))
	}
	if s.dialect == dialectNDJSON && s.keys > 0 {
		errs = append(errs, fmt.Errorf("--keys %d: NDJSON lines have no keys; take --dialect records", s.keys))
	}
	return errors.Join(errs...)
}

func (o *kafkaOptions) check() error {
	o.Idempotence = o.Acks == "all" || o.Acks == "-1"
	return errors.Join(
		between("--partitions", o.Partitions, 1, 10_000), between("--linger-ms", o.LingerMs, 0, 60_000),
		between("--batch-size", o.BatchSize, 1, 1<<30), between("--max-request-size", o.MaxRequestSize, 512, 1<<30),
		between("--buffer-memory", o.BufferMemory, 0, 1<<40), between("--broker-rate", o.BrokerRate, unset, 1<<40),
		oneOf("--compression", o.Compression, "none", "gzip", "snappy", "lz4", "zstd"),
		oneOf("--acks", o.Acks, "all", "-1", "1", "0"),
	)
}

// memory is buffer.memory, or the default of the design's sample configuration.
func (o *kafkaOptions) memory() int64 {
	if o.BufferMemory == 0 {
		return 64 << 20
	}
	return o.BufferMemory
}

func between[T int | int64 | float64 | time.Duration](flag string, v, low, high T) error {
	if v < low || v > high {
		return fmt.Errorf("%s %v: must be from %v to %v", flag, v, low, high)
	}
	return nil
}

func oneOf(flag, v string, allowed ...string) error {
	if !slices.Contains(allowed, v) {
		return fmt.Errorf("%s %q: must be one of %q", flag, v, allowed)
	}
	return nil
}

// parseTarget reads the URL of a gateway.
func parseTarget(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%s: the load generator speaks plain HTTP: want http://host:port", s)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "80")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// isLoopback says whether a target can only be this machine.
func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
