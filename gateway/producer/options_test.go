package producer

import (
	"testing"
	"time"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
)

func TestCodecLevels(t *testing.T) {
	for _, c := range []struct {
		typ   string
		level int
		want  kgo.CompressionCodec
	}{
		{"none", 0, kgo.NoCompression()},
		{"gzip", -1, kgo.GzipCompression()},
		{"gzip", 9, kgo.GzipCompression().WithLevel(9)},
		{"snappy", 0, kgo.SnappyCompression()},
		{"lz4", 9, kgo.Lz4Compression()}, // Java's default level means its fast compressor
		{"lz4", 1, kgo.Lz4Compression().WithLevel(int(lz4.Level1))},
		{"lz4", 8, kgo.Lz4Compression().WithLevel(int(lz4.Level8))},
		{"lz4", 17, kgo.Lz4Compression().WithLevel(int(lz4.Level9))},
		{"zstd", 3, kgo.ZstdCompression().WithLevel(2)},
		{"zstd", -5, kgo.ZstdCompression().WithLevel(1)},
		{"zstd", 22, kgo.ZstdCompression().WithLevel(4)},
	} {
		if got := codec(config.Compression{Type: c.typ, Level: c.level}); got != c.want {
			t.Errorf("codec(%s, %d) = %v, want %v", c.typ, c.level, got, c.want)
		}
	}
}

func TestSplitTimeoutSumsToRequestTimeout(t *testing.T) {
	for _, d := range []time.Duration{200 * time.Millisecond, time.Second, 30 * time.Second} {
		produce, overhead := splitTimeout(d)
		if produce+overhead != d {
			t.Errorf("%v: %v + %v", d, produce, overhead)
		}
	}
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	f := backoff(100*time.Millisecond, time.Second)
	for fails, want := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 90: time.Second} {
		got := f(fails)
		if got < want*8/10 || got > want*12/10 {
			t.Errorf("backoff(%d) = %v, want %v +- 20 %%", fails, got, want)
		}
	}
}

// testProps is Java's defaults with a short linger.
func testProps() config.Producer {
	return config.Producer{
		Acks: -1, Idempotence: true, MaxInFlight: 5, Retries: 2147483647, Linger: time.Millisecond,
		RequestTimeout: 3 * time.Second, RetryBackoff: 100 * time.Millisecond, RetryBackoffMax: time.Second,
		ReconnectBackoff: 50 * time.Millisecond, ReconnectBackoffMax: time.Second, ConnectionsMaxIdle: 9 * time.Minute,
		ConnectionSetupTimeout: 10 * time.Second, SendBuffer: -1, ReceiveBuffer: -1, Compression: config.Compression{Type: "none"},
		ClientID: "sluice-test", BatchSize: 16384, MaxRequestSize: 1 << 20, BufferMemory: 32 << 20, MaxBlock: time.Second,
		DeliveryTimeout: 10 * time.Second, AdaptivePartitioning: true,
	}
}

func TestEveryOptionSetMakesAClient(t *testing.T) {
	for name, change := range map[string]func(*config.Producer){
		"defaults": func(*config.Producer) {},
		"acks=1":   func(p *config.Producer) { p.Acks, p.Idempotence = 1, false },
		"acks=0":   func(p *config.Producer) { p.Acks, p.Idempotence, p.MaxInFlight = 0, false, 1 },
		"tiny":     func(p *config.Producer) { p.MaxRequestSize, p.RequestTimeout, p.Linger = 0, 0, 0 },
		"huge": func(p *config.Producer) {
			p.MaxRequestSize, p.Linger, p.RequestTimeout = 2147483647, time.Hour, 24*time.Hour
		},
		"retries at once":    func(p *config.Producer) { p.RetryBackoff = 0 },
		"retries in an hour": func(p *config.Producer) { p.RetryBackoff, p.RetryBackoffMax = time.Hour, time.Hour },
		"no retries":         func(p *config.Producer) { p.Retries, p.Idempotence = 0, false },
		"idle for ms":        func(p *config.Producer) { p.ConnectionsMaxIdle = time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			p := testProps()
			change(&p)
			k, err := kgo.NewClient(produceOptions(p)...)
			if err != nil {
				t.Fatal(err)
			}
			k.Close()
		})
	}
}
