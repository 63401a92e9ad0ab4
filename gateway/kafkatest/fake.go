package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Fake starts a kfake cluster that lives as long as the test and returns the host:port of its brokers.
func Fake(t testing.TB, opts ...kfake.Opt) []string {
	t.Helper()
	return FakeCluster(t, opts...).ListenAddrs()
}

// FakeCluster is Fake for tests that inject faults (kfake.Cluster.ControlKey).
func FakeCluster(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
