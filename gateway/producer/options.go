package producer

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"sluice/gateway/config"
)

// metadataMinAge bounds how often a kgo client asks for metadata that sends no records.
const metadataMinAge = 100 * time.Millisecond

// Retries of what a broker refuses for now wait for a refresh of the metadata, not for kgo's backoff (franz-go issue 1407). So
// the least time between two is retry.backoff.ms, as far as kgo allows, and within reason.
const minRetryPace, maxRetryPace = 10 * time.Millisecond, 10 * time.Second

// clientWide is the part of p that Kafka's protocol or kgo fixes per client. Topics that agree in it share a client.
func clientWide(p config.Producer) config.Producer {
	p.BatchSize, p.BufferMemory, p.BufferRecords, p.MaxBlock, p.DeliveryTimeout = 0, 0, 0, 0, 0
	p.IgnoreKeys, p.AdaptivePartitioning, p.AvailabilityTimeout = false, false, 0
	return p
}

// baseOptions is what all clients of a cluster share.
func baseOptions(k config.Kafka, log *slog.Logger) ([]kgo.Opt, *tls.Config, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(k.Bootstrap...),
		kgo.MetadataMinAge(metadataMinAge),
		kgo.MetadataMaxAge(min(max(k.MetadataMaxAge, maxRetryPace), time.Hour)), // metadata.run looks for new partitions more often
		kgo.WithLogger(kgoLogger{log, &sync.Map{}}),
		kgo.SoftwareNameAndVersion("sluice", "0"),
	}
	mech, err := saslMechanism(k.Security)
	if err != nil {
		return nil, nil, err
	}
	if mech != nil {
		opts = append(opts, kgo.SASL(mech))
	}
	tc, err := tlsConfig(k.Security)
	return opts, tc, err
}

func saslMechanism(s config.Security) (sasl.Mechanism, error) {
	if s.Protocol != "SASL_PLAINTEXT" && s.Protocol != "SASL_SSL" {
		return nil, nil //nolint:nilnil // no SASL is not an error
	}
	switch s.SASLMechanism {
	case "PLAIN":
		return plain.Auth{User: s.SASLUsername, Pass: s.SASLPassword}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.SASLUsername, Pass: s.SASLPassword}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.SASLUsername, Pass: s.SASLPassword}.AsSha512Mechanism(), nil
	default:
		return nil, fmt.Errorf("sasl.mechanism = %q: must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.SASLMechanism)
	}
}

func tlsConfig(s config.Security) (*tls.Config, error) {
	if s.Protocol != "SSL" && s.Protocol != "SASL_SSL" {
		return nil, nil //nolint:nilnil // no TLS is not an error
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.TLSServerName}
	if s.TLSCAFile != "" {
		pem, err := os.ReadFile(s.TLSCAFile)
		if err != nil {
			return nil, fmt.Errorf("ssl.truststore.location: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ssl.truststore.location = %q: holds no PEM certificate", s.TLSCAFile)
		}
	}
	if s.TLSCertFile != "" {
		cert, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("ssl.keystore.certificate.chain.location: %w", err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

// produceOptions maps Kafka's producer properties to kgo. kgo's own buffer limits are off: our budget is the only bound.
// kgo's delivery timeout is off too: see deadline.
func produceOptions(p config.Producer) []kgo.Opt {
	if p.Idempotence {
		return append(sendOptions(p), kgo.AllowIdempotentProduceCancellation())
	}
	return append(sendOptions(p), kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(p.MaxInFlight))
}

// sendOptions is produceOptions but for idempotence.
func sendOptions(p config.Producer) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.ClientID(p.ClientID),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(requiredAcks(p.Acks)),
		kgo.ProducerLinger(min(p.Linger, time.Minute)),
		kgo.ProducerBatchMaxBytes(int32(min(max(p.MaxRequestSize, 512), 1<<30))),
		// Java's max.request.size bounds a request, not only a batch; it also bounds what kgo holds twice while in flight.
		kgo.BrokerMaxWriteBytes(int32(min(max(p.MaxRequestSize, 512)+64<<10, 1<<30))),
		kgo.ProducerBatchCompression(codec(p.Compression)),
		kgo.MaxBufferedRecords(math.MaxInt),
		kgo.RecordRetries(retries(p.Retries)),
		kgo.UnknownTopicRetries(-1),
		kgo.RetryBackoffFn(backoff(p.RetryBackoff, p.RetryBackoffMax)),
		kgo.MetadataMinAge(min(max(p.RetryBackoff, minRetryPace), maxRetryPace)),
		// A broker that goes down closes connections in mid-handshake. kgo takes that for a wrong configuration and gives up at
		// once all that waits for the partition; delivery.timeout.ms is soon enough.
		kgo.AlwaysRetryEOF(),
		kgo.ConnIdleTimeout(min(max(p.ConnectionsMaxIdle, 100*time.Millisecond), 15*time.Minute)),
	}
	produce, overhead := splitTimeout(p.RequestTimeout)
	opts = append(opts, kgo.ProduceRequestTimeout(produce), kgo.RequestTimeoutOverhead(overhead))
	if !p.EnableMetricsPush {
		opts = append(opts, kgo.DisableClientMetrics())
	}
	return opts
}

func requiredAcks(n int) kgo.Acks {
	switch n {
	case 0:
		return kgo.NoAck()
	case 1:
		return kgo.LeaderAck()
	default:
		return kgo.AllISRAcks()
	}
}

// retries maps Java's default of 2147483647, which means "until delivery.timeout.ms", to no limit at all.
func retries(n int) int {
	if n >= math.MaxInt32 {
		return math.MaxInt
	}
	return n
}

// splitTimeout splits request.timeout.ms into what the broker is told and what the network may take on top; kgo gives a
// request up after the sum.
func splitTimeout(d time.Duration) (produce, overhead time.Duration) {
	overhead = min(max(d/3, 100*time.Millisecond), 15*time.Minute)
	return max(d-overhead, 100*time.Millisecond), overhead
}

// backoff is Java's ExponentialBackoff: initial, doubled up to limit, with 20 % jitter.
func backoff(initial, limit time.Duration) func(int) time.Duration {
	return func(fails int) time.Duration {
		d := float64(initial) * math.Pow(2, float64(min(max(fails-1, 0), 30)))
		d = min(d, float64(max(limit, initial)))
		return time.Duration(d * (0.8 + 0.4*rand.Float64())) //nolint:gosec // jitter
	}
}

// codec maps compression.type and its level on Java's scale. Java's lz4 level 9 is its default and means the fast
// compressor (Lz4BlockOutputStream), which is kgo's level 0.
func codec(c config.Compression) kgo.CompressionCodec {
	switch c.Type {
	case "gzip":
		if c.Level <= 0 {
			return kgo.GzipCompression()
		}
		return kgo.GzipCompression().WithLevel(c.Level)
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		if c.Level == 9 || c.Level <= 0 {
			return kgo.Lz4Compression()
		}
		return kgo.Lz4Compression().WithLevel(int(lz4.Level1) << (min(c.Level, 9) - 1))
	case "zstd":
		return kgo.ZstdCompression().WithLevel(zstdLevel(c.Level))
	default:
		return kgo.NoCompression()
	}
}

// zstdLevel maps zstd's levels to the four of klauspost/compress, as its EncoderLevelFromZstd does.
func zstdLevel(n int) int {
	switch {
	case n < 3:
		return 1
	case n < 6:
		return 2
	case n < 10:
		return 3
	default:
		return 4
	}
}
