package embedded_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
	"sluice/gateway/embedded"
)

// TestMain lets the test binary be a broker process of its own, for the tests that kill it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("EMBEDDED_TEST_DIR"); dir != "" {
		os.Exit(serve(dir, os.Getenv("EMBEDDED_TEST_LISTEN")))
	}
	os.Exit(m.Run())
}

// serve runs a broker until standard input ends.
func serve(dir, listen string) int {
	b, err := embedded.Start(settings(dir, listen), []string{"orders"}, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, b.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := b.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func settings(dir, listen string) config.Embedded {
	return config.Embedded{Listen: listen, DataDir: dir, NumPartitions: 3}
}

func start(t testing.TB, cfg config.Embedded, topics ...string) *embedded.Broker {
	t.Helper()
	b, err := embedded.Start(cfg, topics, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, b) })
	return b
}

func stop(t testing.TB, b *embedded.Broker) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func client(t testing.TB, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.RetryTimeout(time.Minute)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// produce writes records number from to from+n-1 to partition 0 of orders, each in a batch of its own.
func produce(t testing.TB, cl *kgo.Client, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		r := &kgo.Record{Topic: "orders", Value: fmt.Appendf(nil, "record-%d", i)}
		if err := cl.ProduceSync(within(t, time.Minute), r).FirstErr(); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if r.Offset != int64(i) {
			t.Fatalf("record %d got offset %d", i, r.Offset)
		}
	}
}

// checkLog reads partition 0 of orders and wants record i at offset i, n records in all.
func checkLog(t testing.TB, addr string, n int) {
	t.Helper()
	cl := client(t, addr, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"orders": {0: kgo.NewOffset().AtStart()}}))
	defer cl.Close()
	for i := 0; i < n; {
		fetches := cl.PollFetches(within(t, time.Minute))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for r := range fetches.RecordsAll() {
			if r.Offset != int64(i) || string(r.Value) != fmt.Sprintf("record-%d", i) {
				t.Fatalf("offset %d holds %q, want record-%d", r.Offset, r.Value, i)
			}
			i++
		}
	}
}
