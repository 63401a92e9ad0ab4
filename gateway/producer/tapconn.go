package producer

import (
	"encoding/binary"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func (t *tap) wrap(c net.Conn, b *book) net.Conn {
	return &tappedConn{Conn: c, tap: t, book: b, sent: make(map[int32]*sentRequest)}
}

// tappedConn is a connection to a broker. kgo writes from one goroutine and reads from another.
type tappedConn struct {
	net.Conn
	tap  *tap
	book *book

	mu   sync.Mutex
	sent map[int32]*sentRequest // by correlation id

	head [8]byte // length and correlation id of the response being read
	have int
	left int    // of the response's body
	body []byte // kept only for requests in sent
	req  *sentRequest
}

// sentRequest is a request that waits for its response: a produce request, or one for metadata.
type sentRequest struct {
	key     int16
	corr    int32
	version int16
	acks    int16
	at      time.Time
	batches map[topicPartition]sentBatch
	total   int64 // records
}

type topicPartition struct {
	topic     string
	id        [16]byte
	partition int32
}

// sentBatch is one batch of a produce request.
type sentBatch struct {
	ledger  *ledger // nil if the tap does not know the topic
	write   int64
	records int
}

// answer notes in the ledger what became of the batch, see [ledger.answered].
func (s sentBatch) answer(o outcome, code int16) (heeded, again bool) {
	if s.ledger == nil {
		return false, false
	}
	return s.ledger.answered(s.write, o, code)
}

// Write implements [net.Conn]. kgo writes every request at once.
func (c *tappedConn) Write(p []byte) (int, error) {
	var sent *sentRequest
	if len(p) > 14 {
		sent = c.request(p[4:])
	}
	n, err := c.Conn.Write(p)
	if sent == nil {
		return n, err
	}
	switch {
	case err != nil && n < len(p): // the broker does nothing with part of a request
		c.failed(sent, notInLog)
	case err != nil:
		c.failed(sent, perhaps)
	case sent.acks == 0: // there will be no response
		sent.all(inLog)
	}
	return n, err
}

// failed ends a request that could not be written, unless the connection was closed meanwhile.
func (c *tappedConn) failed(sent *sentRequest, o outcome) {
	if sent.acks == 0 {
		sent.all(o)
		return
	}
	if c.take(sent) {
		c.again(sent, o)
	}
}

// again counts a request that will get no answer, so that its records have to be sent again.
func (c *tappedConn) again(sent *sentRequest, o outcome) {
	c.tap.Stats.InFlight.Add(-1)
	c.tap.Stats.Retries.Add(sent.total)
	sent.all(o)
}

func (s *sentRequest) all(o outcome) {
	for _, b := range s.batches {
		b.answer(o, 0)
	}
}

// request reads a request that is about to be written. It returns nil unless it is a produce request.
func (c *tappedConn) request(p []byte) *sentRequest {
	key := kmsg.Key(binary.BigEndian.Uint16(p))
	if key != kmsg.Produce && key != kmsg.Metadata {
		return nil
	}
	sent := &sentRequest{
		key: key.Int16(), version: int16(binary.BigEndian.Uint16(p[2:])), corr: int32(binary.BigEndian.Uint32(p[4:])),
	}
	if key == kmsg.Metadata {
		c.await(sent)
		return nil
	}
	body := p[8:]
	if n := int16(binary.BigEndian.Uint16(body)); n > 0 {
		body = body[min(2+int(n), len(body)):]
	} else {
		body = body[2:]
	}
	req := kmsg.ProduceRequest{Version: sent.version}
	if req.IsFlexible() && len(body) > 0 {
		body = body[1:] // no tags
	}
	if err := req.UnsafeReadFrom(body); err != nil {
		c.book.blind()
		return nil
	}
	sent.at, sent.acks, sent.batches = time.Now(), req.Acks, make(map[topicPartition]sentBatch)
	c.count(&req, sent)
	if sent.acks != 0 {
		c.tap.Stats.InFlight.Add(1)
		c.await(sent)
	}
	return sent
}

func (c *tappedConn) await(sent *sentRequest) {
	c.mu.Lock()
	c.sent[sent.corr] = sent
	c.mu.Unlock()
}

func (c *tappedConn) count(req *kmsg.ProduceRequest, sent *sentRequest) {
	s := &c.tap.Stats
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if len(p.Records) == 0 { // kgo gave the batch up while it made the request
				continue
			}
			b, ok := readBatch(p.Records)
			if !ok {
				c.book.blind()
				continue
			}
			sent.batches[topicPartition{string([]byte(t.Topic)), t.TopicID, p.Partition}] = c.write(t, p.Partition, b)
			sent.total += int64(b.records)
			s.Batches.Add(1)
			s.BatchBytes.Add(int64(len(p.Records)))
			raise(&s.MaxBatch, int64(len(p.Records)))
		}
	}
	s.Requests.Add(1)
	s.Records.Add(sent.total)
	c.book.encoded.Add(-int64(len(sent.batches))) // last: every batch is in its ledger
}

// write notes a batch in its ledger.
func (c *tappedConn) write(t *kmsg.ProduceRequestTopic, partition int32, b batch) sentBatch {
	l := c.book.find(t.Topic, t.TopicID, partition)
	if l == nil {
		c.book.each((*ledger).blind) // it may be anybody's
		return sentBatch{records: b.records}
	}
	return sentBatch{l, l.wrote(b), b.records}
}

// Where a record batch of magic 2 keeps what the ledgers need (Kafka: DefaultRecordBatch).
const (
	magicAt      = 16
	producerIDAt = 43
	epochAt      = 51
	sequenceAt   = 53
	numRecordsAt = 57
)

func readBatch(p []byte) (batch, bool) {
	if len(p) < numRecordsAt+4 || p[magicAt] != 2 {
		return batch{}, false
	}
	return batch{
		pid:     int64(binary.BigEndian.Uint64(p[producerIDAt:])),
		epoch:   int16(binary.BigEndian.Uint16(p[epochAt:])),
		seq:     int32(binary.BigEndian.Uint32(p[sequenceAt:])),
		records: int(binary.BigEndian.Uint32(p[numRecordsAt:])),
	}, true
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
	c.req = c.sent[corr] // it stays there until all of the response is read: the connection may break before
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
	switch {
	case sent == nil, !c.take(sent):
	case sent.key == kmsg.Metadata.Int16():
		c.learn(sent.version)
	default:
		c.produced(sent)
	}
}

// take ends the wait for a response; false if the connection was closed meanwhile, which ended it.
func (c *tappedConn) take(sent *sentRequest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	waits := c.sent[sent.corr] == sent
	delete(c.sent, sent.corr)
	return waits
}

// learn notes the ids of topics, before kgo can write a request that has only the id.
func (c *tappedConn) learn(version int16) {
	resp := kmsg.MetadataResponse{Version: version}
	body := c.body
	if resp.IsFlexible() && len(body) > 0 {
		body = body[1:] // no tags
	}
	if err := resp.ReadFrom(body); err != nil {
		return // the topics stay unknown
	}
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic != nil {
			c.book.named(t.TopicID, *t.Topic)
		}
	}
}

func (c *tappedConn) produced(sent *sentRequest) {
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
	if err := resp.UnsafeReadFrom(body); err == nil {
		s.ThrottleMs.Add(int64(resp.ThrottleMillis))
		raise(&s.MaxThrottle, int64(resp.ThrottleMillis))
		c.answers(&resp, sent)
	}
	sent.all(perhaps) // what had no answer in it
}

// answers notes the answer for every batch. It runs before kgo sees the response.
func (c *tappedConn) answers(resp *kmsg.ProduceResponse, sent *sentRequest) {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			at := topicPartition{t.Topic, t.TopicID, p.Partition}
			b, ok := sent.batches[at]
			if !ok {
				continue
			}
			delete(sent.batches, at)
			c.answer(b, p, sent.acks)
		}
	}
}

func (c *tappedConn) answer(b sentBatch, p *kmsg.ProduceResponseTopicPartition, acks int16) {
	if p.ErrorCode == 0 {
		b.answer(inLog, 0)
		return
	}
	c.tap.meta.suspect()
	m := answerOf(p.ErrorCode)
	heeded, again := b.answer(outcomeOf(m, p.BaseOffset, acks), p.ErrorCode)
	switch {
	case heeded && again && renumbers(p.ErrorCode):
		c.book.gate.Lock()
		b.ledger.cut()
		c.book.gate.Unlock()
	case m.kind == retriable && m.says != isWritten:
		c.tap.Stats.Retries.Add(int64(b.records))
	case m.kind != retriable && heeded: // kgo will give up all it has of the partition
		c.book.gate.Lock()
		b.ledger.hold(b.records)
		c.book.gate.Unlock()
	}
}

// outcomeOf is what an answer that is an error says of its batch. A leader that had appended it keeps its offset in the answer;
// only with acks=all it answers later than it appends.
func outcomeOf(m meaning, offset int64, acks int16) outcome {
	switch {
	case m.says == isWritten:
		return inLog
	case m.says == notWritten, m.says == notAppended && (offset < 0 || acks == 1):
		return notInLog
	default:
		return perhaps
	}
}

// Close implements [net.Conn]. What was in flight has to be sent again.
func (c *tappedConn) Close() error {
	c.mu.Lock()
	for corr, sent := range c.sent {
		delete(c.sent, corr)
		if sent.key == kmsg.Produce.Int16() {
			c.again(sent, perhaps)
		}
	}
	c.mu.Unlock()
	c.book.failed()
	return c.Conn.Close()
}
