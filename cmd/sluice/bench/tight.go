package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tight is kgo producing in a tight loop, as kafka-producer-perf-test does with Java's producer: one goroutine, records of
// one size, no throttle. It is the limit of what a gateway on kgo can reach per record.
type tight struct {
	kafka    kafkaOptions
	topic    string
	size     int
	keys     int // distinct; 0 for records without a key
	duration time.Duration
	warmup   time.Duration

	acked  atomic.Int64
	failed atomic.Int64
	why    atomic.Pointer[error] // why the first record failed
}

// patience is how long the loop goes on beyond its window for the first acknowledgement in it.
const patience = 30 * time.Second

// Tight is what such a loop reached in its window.
type Tight struct {
	Seconds          float64 `json:"seconds"`
	Records          int64   `json:"records"` // acknowledged
	RecordsPerSecond float64 `json:"records_per_second"`
	CPUPerRecord     float64 `json:"cpu_per_record_us"`
	Cores            float64 `json:"cores"`
	PeakRSS          int64   `json:"peak_rss_bytes,omitempty"`
}

// tightCommand is `sluice bench __kgo`: it prints a Tight as JSON and ends.
func tightCommand() *cobra.Command {
	t := &tight{}
	cmd := &cobra.Command{
		Use: "__kgo", Hidden: true, Args: cobra.NoArgs, Short: "kgo in a tight loop",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return t.print(ctx, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	t.kafka.register(f)
	f.StringVar(&t.topic, "topic", "bench", "topic to produce to")
	f.IntVar(&t.size, "size", 256, "bytes of a record's value")
	f.IntVar(&t.keys, "keys", 0, "distinct keys; 0 for records without a key")
	f.DurationVar(&t.duration, "duration", 10*time.Second, "how long to measure")
	f.DurationVar(&t.warmup, "warmup", 2*time.Second, "how long to produce before measuring")
	return cmd
}

func (t *tight) print(ctx context.Context, out io.Writer) error {
	result, err := t.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

// run produces for the warm-up and the window.
func (t *tight) run(ctx context.Context) (*Tight, error) {
	if err := t.kafka.check(); err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(t.options()...)
	if err != nil {
		return nil, err
	}
	if err := client.ProduceSync(ctx, &kgo.Record{Value: []byte("first")}).FirstErr(); err != nil {
		client.Close()
		return nil, fmt.Errorf("cannot produce to topic %s at %s: %w", t.topic, t.kafka.Bootstrap, err)
	}
	loop, stop := context.WithCancel(ctx)
	looped := make(chan struct{})
	go func() { t.loop(loop, client); close(looped) }()
	defer func() {
		stop()
		client.Close() // first, as it fails what a broker that is gone would never answer, and the loop waits for that
		<-looped
	}()

	pause := newPause()
	if !pause.sleep(ctx, t.warmup) {
		return nil, ctx.Err()
	}
	began, cpu, acked := time.Now(), ownCPU(), t.acked.Load()
	if !pause.sleep(ctx, t.duration) {
		return nil, ctx.Err()
	}
	for t.acked.Load() == acked && time.Since(began) < patience { // a window in which nothing happened says nothing
		if !pause.sleep(ctx, t.duration) {
			return nil, ctx.Err()
		}
	}
	return t.result(time.Since(began), ownCPU()-cpu, t.acked.Load()-acked)
}

func (t *tight) result(took, cpu time.Duration, acked int64) (*Tight, error) {
	if why := t.why.Load(); why != nil {
		return nil, fmt.Errorf("%d records failed: %w", t.failed.Load(), *why)
	}
	if acked == 0 {
		return nil, fmt.Errorf("no record was acknowledged within %v", took)
	}
	return &Tight{
		Seconds: took.Seconds(), Records: acked, RecordsPerSecond: float64(acked) / took.Seconds(),
		CPUPerRecord: per(cpu, acked), Cores: cpu.Seconds() / took.Seconds(), PeakRSS: ownPeak(),
	}, nil
}

// options are the shared settings in kgo's terms: batch.size is when the sticky partitioner moves on (KIP-794), and
// max.request.size is the largest batch.
func (t *tight) options() []kgo.Opt {
	k := &t.kafka
	opts := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(k.Bootstrap, ",")...),
		kgo.DefaultProduceTopic(t.topic),
		kgo.ProducerLinger(time.Duration(k.LingerMs) * time.Millisecond),
		kgo.ProducerBatchMaxBytes(int32(k.MaxRequestSize)), //nolint:gosec // at most 1 GiB
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(k.BatchSize, true, true, nil)),
		kgo.ProducerBatchCompression(codec(k.Compression)),
		kgo.MaxBufferedRecords(1 << 30), // the slabs of loop are the bound
		kgo.DisableClientMetrics(),
	}
	switch k.Acks {
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()))
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()))
	default:
		opts = append(opts, kgo.RequiredAcks(kgo.AllISRAcks()))
	}
	if !k.Idempotence {
		const asJava = 5
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(asJava))
	}
	return opts
}

func codec(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	default:
		return kgo.NoCompression()
	}
}
