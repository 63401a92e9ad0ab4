package kafkatest

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"sluice/gateway/localkafka"
)

// sharedNodes is the cluster of one test process.
type sharedNodes struct {
	mu    sync.Mutex
	dir   string // set by Main, which removes it
	nodes *localkafka.Cluster
	err   error
}

// shared is a global because what it holds belongs to the process: Main stops what the tests started.
var shared sharedNodes

// Main runs the tests of a package and then stops the cluster they shared:
//
//	func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kafkatest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.dir = dir
	code := m.Run()
	if shared.nodes != nil {
		shared.nodes.Stop()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Shared is the cluster that all tests of a package share, started by the first that asks, for packages whose TestMain
// is Main. It has at least as many brokers as the first test asked for. Brokers that are down or paused when a test asks
// are brought back, so tests that stop brokers must not run in parallel. Topics stay: every test uses its own.
func Shared(t testing.TB, brokers int) *Cluster {
	t.Helper()
	dist := Distribution(t)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.dir == "" {
		t.Fatal("kafkatest.Shared needs func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }")
	}
	if shared.nodes == nil && shared.err == nil {
		shared.nodes, shared.err = localkafka.Start(dist, shared.dir, brokers, localkafka.Options{})
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	if n := len(shared.nodes.Brokers()); n < brokers {
		t.Fatalf("the shared cluster was started with %d brokers, this test needs %d: ask for %d everywhere", n, brokers, brokers)
	}
	if err := shared.nodes.Heal(); err != nil {
		t.Fatal(err)
	}
	return &Cluster{t: t, nodes: shared.nodes}
}
