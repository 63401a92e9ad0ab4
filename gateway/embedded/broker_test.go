package embedded_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
	"sluice/gateway/embedded"
	"sluice/gateway/kafkatest"
)

func TestStartErrorsNameTheSetting(t *testing.T) {
	used := start(t, settings(t.TempDir(), "127.0.0.1:0"))
	dir := t.TempDir()
	locked := start(t, settings(dir, "127.0.0.1:0"))
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "meta.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	const free = "127.0.0.1:0"
	check := func(cfg config.Embedded, topics []string, want ...string) {
		t.Helper()
		b, err := embedded.Start(cfg, topics, slog.New(slog.DiscardHandler))
		if err == nil {
			stop(t, b)
			t.Fatal("no error")
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	check(settings("", used.Addr()), nil, "embedded.listen", used.Addr(), "in use", "free port", "kafka.bootstrap.servers")
	check(settings("", "nonsense"), nil, "embedded.listen", `"nonsense"`)
	check(settings(dir, free), nil, "embedded.data.dir", dir, "in use", fmt.Sprintf("(process %d)", os.Getpid()), "another folder")
	check(settings(file, free), nil, "embedded.data.dir", file)
	check(settings(broken, free), nil, "embedded.data.dir", broken, "move the folder away")
	check(config.Embedded{Listen: free}, nil, "embedded.num.partitions", "0")
	check(settings("", free), []string{"a.b", "a_b"}, `"a_b"`)

	stop(t, locked)
	start(t, settings(dir, free)) // what held it is gone
}

// A start that fails must leave neither a listener nor a lock behind.
func TestFailedStartCanBeRepeated(t *testing.T) {
	cfg := settings(t.TempDir(), "127.0.0.1:0")
	b := start(t, cfg)
	cfg.Listen = b.Addr()
	stop(t, b)
	for range 2 {
		_, err := embedded.Start(cfg, []string{"a.b", "a_b"}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "a_b") {
			t.Fatalf("error: %v", err)
		}
	}
	start(t, cfg)
}

func TestTopics(t *testing.T) {
	cfg := settings(t.TempDir(), "127.0.0.1:0")
	stop(t, start(t, cfg, "orders"))
	cfg.NumPartitions = 5
	b := start(t, cfg, "orders", "payments")
	cl := client(t, b.Addr(), kgo.AllowAutoTopicCreation())
	if err := cl.ProduceSync(within(t, time.Minute), &kgo.Record{Topic: "logs"}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	topics, err := kadm.NewClient(cl).ListTopics(within(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]int{"orders": 3, "payments": 5, "logs": 5} {
		if got := len(topics[topic].Partitions); got != want {
			t.Errorf("%s has %d partitions, want %d", topic, got, want)
		}
	}
}

func TestKcatListsAndReads(t *testing.T) {
	b := start(t, settings(t.TempDir(), "127.0.0.1:0"), "orders")
	produce(t, client(t, b.Addr(), producerOpts()...), 0, 3)
	list := kafkatest.Kcat(t, "-b", b.Addr(), "-L")
	for _, want := range []string{"1 brokers", "at " + b.Addr(), `topic "orders" with 3 partitions`} {
		if !strings.Contains(list, want) {
			t.Errorf("kcat -L does not say %q:\n%s", want, list)
		}
	}
	got := kafkatest.Kcat(t, "-b", b.Addr(), "-C", "-t", "orders", "-e", "-q", "-f", "%p/%o %s\n")
	if want := "0/0 record-0\n0/1 record-1\n0/2 record-2\n"; got != want {
		t.Errorf("kcat reads %q, want %q", got, want)
	}
}

func TestForeignBytesDoNoHarm(t *testing.T) {
	b := start(t, settings("", "127.0.0.1:0"), "orders")
	head := func(size uint32, key, version int16) string {
		h := binary.BigEndian.AppendUint32(nil, size)
		h = binary.BigEndian.AppendUint16(h, uint16(key))
		return string(binary.BigEndian.AppendUint16(h, uint16(version)))
	}
	for name, bytes := range map[string]string{
		"http":            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"unknown API":     head(8, 9999, 0) + "\x00\x00\x00\x01",
		"negative API":    head(8, -1, 0) + "\x00\x00\x00\x01",
		"unknown version": head(12, 3, 999) + "\x00\x00\x00\x01\xff\xff\x00\x00",
		"too large":       head(1<<31, 3, 1),
		"too small":       head(3, 0, 0),
		"garbage body":    head(64, 0, 9) + strings.Repeat("\xfe", 60),
	} {
		conn, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := io.WriteString(conn, bytes); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err != nil && os.IsTimeout(err) {
			t.Errorf("%s: the connection stays open", name)
		}
		conn.Close()
	}
	produce(t, client(t, b.Addr(), producerOpts()...), 0, 1)
}

func TestCloseEndsEveryGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	b := start(t, settings(t.TempDir(), "127.0.0.1:0"), "orders")
	cl := client(t, b.Addr(), producerOpts()...)
	produce(t, cl, 0, 3)
	idle, err := net.Dial("tcp", b.Addr()) // a connection that never sends
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	stop(t, b)
	stop(t, b) // twice is allowed
	cl.Close()
	deadline := time.After(10 * time.Second)
	for poll := time.Tick(10 * time.Millisecond); runtime.NumGoroutine() > before; {
		select {
		case <-poll:
		case <-deadline:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}
