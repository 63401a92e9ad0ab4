package producer

import (
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// tap reads along on the connections of one client. kgo has no hook for a retried record, for a throttle time of zero or
// for a batch that is sent again, all of which Kafka's metrics count.
type tap struct {
	meta  *metadata
	Stats WireStats
}

// WireStats is what one client sent and was answered. All counters only grow, but for InFlight.
type WireStats struct {
	Requests     atomic.Int64 // produce requests written
	Batches      atomic.Int64 // record batches in them, those sent again included
	Records      atomic.Int64
	BatchBytes   atomic.Int64 // of record batches as sent
	MaxBatch     atomic.Int64
	Retries      atomic.Int64 // records that have to be sent again
	InFlight     atomic.Int64 // requests without a response
	Responses    atomic.Int64
	LatencyNanos atomic.Int64 // request written until response read
	MaxLatency   atomic.Int64
	ThrottleMs   atomic.Int64
	MaxThrottle  atomic.Int64

	Uncompressed atomic.Int64 // bytes of acknowledged batches before
	Compressed   atomic.Int64 // and after compression
	Connections  atomic.Int64 // open now
}

func newTap(m *metadata) *tap { return &tap{meta: m} }

// OnProduceBatchWritten implements [kgo.HookProduceBatchWritten].
func (t *tap) OnProduceBatchWritten(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.ProduceBatchMetrics) {
	t.Stats.Uncompressed.Add(int64(m.UncompressedBytes))
	t.Stats.Compressed.Add(int64(m.CompressedBytes))
}

// OnBrokerDisconnect implements [kgo.HookBrokerDisconnect]: a broker that went away may have lost its partitions.
func (t *tap) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) {
	t.Stats.Connections.Add(-1)
	t.meta.suspect()
}

// OnBrokerConnect implements [kgo.HookBrokerConnect].
func (t *tap) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		t.Stats.Connections.Add(1)
	} else {
		t.meta.suspect()
	}
}

func (t *tap) wrap(c net.Conn) net.Conn {
	return &tappedConn{Conn: c, tap: t, sent: make(map[int32]*sentRequest)}
}

// tappedConn is a connection to a broker. kgo writes from one goroutine and reads from another.
type tappedConn struct {
	net.Conn
	tap *tap

	mu   sync.Mutex
	sent map[int32]*sentRequest // by correlation id

	head [8]byte // length and correlation id of the response being read
	have int
	left int    // of the response's body
	body []byte // kept only for produce responses
	req  *sentRequest
}

// sentRequest is a produce request that waits for its response.
type sentRequest struct {
	at      time.Time
	version int16
	records map[topicPartition]int64
	total   int64
}

type topicPartition struct {
	topic     string
	id        [16]byte
	partition int32
}

// Write implements [net.Conn]. kgo writes every request at once.
func (c *tappedConn) Write(p []byte) (int, error) {
	if len(p) > 14 && binary.BigEndian.Uint16(p[4:]) == 0 { // a produce request
		c.request(p[4:])
	}
	return c.Conn.Write(p)
}

func (c *tappedConn) request(p []byte) {
	version := int16(binary.BigEndian.Uint16(p[2:]))
	corr := int32(binary.BigEndian.Uint32(p[4:]))
	body := p[8:]
	if n := int16(binary.BigEndian.Uint16(body)); n > 0 {
		body = body[min(2+int(n), len(body)):]
	} else {
		body = body[2:]
	}
	req := kmsg.ProduceRequest{Version: version}
	if req.IsFlexible() && len(body) > 0 {
		body = body[1:] // no tags
	}
	if err := req.UnsafeReadFrom(body); err != nil {
		return // metrics are not worth an error
	}
	sent := &sentRequest{at: time.Now(), version: version, records: make(map[topicPartition]int64)}
	c.count(&req, sent)
	if req.Acks == 0 {
		return // there will be no response
	}
	c.tap.Stats.InFlight.Add(1)
	c.mu.Lock()
	c.sent[corr] = sent
	c.mu.Unlock()
}

// numRecordsAt is where a record batch of magic 2 keeps its number of records (Kafka: DefaultRecordBatch).
const numRecordsAt = 57

func (c *tappedConn) count(req *kmsg.ProduceRequest, sent *sentRequest) {
	s := &c.tap.Stats
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if len(p.Records) < numRecordsAt+4 {
				continue
			}
			n := int64(binary.BigEndian.Uint32(p.Records[numRecordsAt:]))
			sent.records[topicPartition{string([]byte(t.Topic)), t.TopicID, p.Partition}] = n
			sent.total += n
			s.Batches.Add(1)
			s.BatchBytes.Add(int64(len(p.Records)))
			raise(&s.MaxBatch, int64(len(p.Records)))
		}
	}
	s.Requests.Add(1)
	s.Records.Add(sent.total)
}

// Read implements [net.Conn].
func (c *tappedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.response(p[:n])
	return n, err
}

// response follows the stream of responses, however it is cut into reads.
func (c *tappedConn) response(p []byte) {
	for len(p) > 0 {
		if c.left == 0 {
			n := copy(c.head[c.have:], p)
			c.have += n
			p = p[n:]
			if c.have < len(c.head) {
				return
			}
			c.begin()
			continue
		}
		n := min(c.left, len(p))
		if c.req != nil {
			c.body = append(c.body, p[:n]...)
		}
		c.left -= n
		p = p[n:]
		if c.left == 0 {
			c.end()
		}
	}
}

func (c *tappedConn) begin() {
	c.left = max(int(int32(binary.BigEndian.Uint32(c.head[:])))-4, 0)
	corr := int32(binary.BigEndian.Uint32(c.head[4:]))
	c.mu.Lock()
	c.req = c.sent[corr]
	delete(c.sent, corr)
	c.mu.Unlock()
	c.body = c.body[:0]
	c.have = 0
	if c.left == 0 {
		c.end()
	}
}

func (c *tappedConn) end() {
	sent := c.req
	c.req = nil
	if sent == nil {
		return
	}
	s := &c.tap.Stats
	took := int64(time.Since(sent.at))
	s.InFlight.Add(-1)
	s.Responses.Add(1)
	s.LatencyNanos.Add(took)
	raise(&s.MaxLatency, took)
	resp := kmsg.ProduceResponse{Version: sent.version}
	body := c.body
	if resp.IsFlexible() && len(body) > 0 {
		body = body[1:] // no tags
	}
	if err := resp.UnsafeReadFrom(body); err != nil {
		return
	}
	s.ThrottleMs.Add(int64(resp.ThrottleMillis))
	raise(&s.MaxThrottle, int64(resp.ThrottleMillis))
	c.retried(&resp, sent)
}

func (c *tappedConn) retried(resp *kmsg.ProduceResponse, sent *sentRequest) {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if p.ErrorCode == 0 {
				continue
			}
			c.tap.meta.suspect()
			if kerr.IsRetriable(kerr.ErrorForCode(p.ErrorCode)) {
				c.tap.Stats.Retries.Add(sent.records[topicPartition{t.Topic, t.TopicID, p.Partition}])
			}
		}
	}
}

// Close implements [net.Conn]. What was in flight has to be sent again.
func (c *tappedConn) Close() error {
	c.mu.Lock()
	for corr, sent := range c.sent {
		delete(c.sent, corr)
		c.tap.Stats.InFlight.Add(-1)
		c.tap.Stats.Retries.Add(sent.total)
	}
	c.mu.Unlock()
	return c.Conn.Close()
}
