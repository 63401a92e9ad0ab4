package gateway

import (
	"fmt"
	"net"
	"testing"
)

func TestMemoryBudgetFollowsTopicsAndConnections(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.buffer.memory = 4194304\n[topics.other]\nproducer.buffer.memory = 2097152")
	const topics = 4194304 + 2097152
	if got := r.g.memoryBudget(); got != memoryHeadroom+topics {
		t.Fatalf("budget = %d, want headroom and %d", got, topics)
	}
	conn, err := net.Dial("tcp", r.g.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	per := int64(r.g.cfg.Load().HTTP.ReadBufferBytes + connectionMemory)
	eventually(t, "the connection counts", func() bool { return r.g.memoryBudget() == memoryHeadroom+topics+per })
}

// TestMemoryBudgetCountsGuests: their memory is on Go's heap, and a limit without it would have the collector run all the time.
func TestMemoryBudgetCountsGuests(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\nproducer.buffer.memory = 4194304\ninterceptors = [{ module = \"steer\" }]\n", steer(t))
	r := serveConfig(t, cfg)
	guests := r.g.host.Memory()
	if got, least := r.g.memoryBudget(), memoryHeadroom+4194304+guests; guests == 0 || got < least {
		t.Errorf("budget = %d with %d bytes of guests, want at least %d", got, guests, least)
	}
	r.clean()
}
