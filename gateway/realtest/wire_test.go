package realtest_test

import (
	"bytes"
	bigendian "encoding/binary" // binary is the program
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/kafkatest"
)

// wire stands between the gateway and a real broker, and keeps what goes over it about produce requests.
type wire struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond
	target   string
	open     map[net.Conn]struct{}
	conns    int
	requests []*produced
	names    map[[16]byte]string // of topics, by their ids
	held     map[string]bool
	cuts     map[string]int
	closed   bool
}

// produced is a produce request as the broker saw it, with one batch.
type produced struct {
	client, topic string
	conn          int // which connection, counted from 1
	acks          int16
	timeout       int32 // ms
	pid           int64
	epoch         int16
	seq           int32
	records       int32
	bytes         []byte // the batch as it was sent
	inFlight      int    // requests of its connection without an answer, this one included
	at            time.Time

	answered bool // the broker did
	code     int16
	cut      bool      // the gateway does not get the answer
	broken   time.Time // when the gateway closed the connection before an answer
}

// newWire starts a broker of its own behind a wire.
func newWire(t testing.TB) (*wire, *kafkatest.Cluster) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{
		listener: ln, open: make(map[net.Conn]struct{}), names: make(map[[16]byte]string),
		held: make(map[string]bool), cuts: make(map[string]int),
	}
	w.changed = sync.NewCond(&w.mu)
	t.Cleanup(w.close)
	c := kafkatest.Start(t, 1, kafkatest.Advertise(w.addr()))
	w.target = c.ClientAddr(1)
	w.wg.Go(w.accept)
	return w, c
}

func (w *wire) addr() string { return w.listener.Addr().String() }

func (w *wire) close() {
	_ = w.listener.Close()
	w.mu.Lock()
	w.closed = true
	for c := range w.open {
		_ = c.Close()
	}
	w.changed.Broadcast()
	w.mu.Unlock()
	w.wg.Wait()
}

func (w *wire) accept() {
	for {
		c, err := w.listener.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", w.target)
		if err != nil {
			_ = c.Close()
			continue
		}
		w.mu.Lock()
		w.conns++
		l := &wireConn{wire: w, id: w.conns, gateway: c, broker: broker, waiting: make(map[int32]waiting)}
		w.open[c], w.open[broker] = struct{}{}, struct{}{}
		w.mu.Unlock()
		w.wg.Go(l.up)
		w.wg.Go(l.down)
	}
}

// hold keeps the answers to the topics' produce requests, which the broker gets, until release is called.
func (w *wire) hold(topics ...string) (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, topic := range topics {
		w.held[topic] = true
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, topic := range topics {
			delete(w.held, topic)
		}
		w.changed.Broadcast()
	}
}

// cut ends the connection in place of the next n answers to a topic's produce requests: the broker has done as they say.
func (w *wire) cut(topic string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts[topic] = n
}

// of is what was seen of a topic, in the order in which the broker got it.
func (w *wire) of(topic string) []produced {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ofLocked(topic)
}

func (w *wire) ofLocked(topic string) (some []produced) {
	for _, p := range w.requests {
		if p.topic == topic {
			some = append(some, *p)
		}
	}
	return some
}

// await waits until match likes what was seen of a topic.
func (w *wire) await(t testing.TB, topic, what string, match func([]produced) bool) []produced {
	t.Helper()
	timer := time.AfterFunc(time.Minute, w.changed.Broadcast)
	defer timer.Stop()
	deadline := time.Now().Add(time.Minute)
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		seen := w.ofLocked(topic)
		if match(seen) {
			return seen
		}
		if time.Now().After(deadline) {
			t.Fatalf("topic %s: not within a minute: %s; %d requests were seen", topic, what, len(seen))
		}
		w.changed.Wait()
	}
}

// wireConn is one connection of the gateway and the one to the broker that goes with it.
type wireConn struct {
	wire            *wire
	id              int
	gateway, broker net.Conn
	waiting         map[int32]waiting // by correlation id, guarded by wire.mu
}

// waiting is a request whose answer is to be looked at.
type waiting struct {
	key, version int16
	request      *produced
}

func frame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	f := make([]byte, 4+bigendian.BigEndian.Uint32(size[:]))
	copy(f, size[:])
	_, err := io.ReadFull(r, f[4:])
	return f, err
}

// up carries requests.
func (l *wireConn) up() {
	defer l.end()
	for {
		f, err := frame(l.gateway)
		if err != nil {
			return
		}
		l.request(f[4:])
		if _, err := l.broker.Write(f); err != nil {
			return
		}
	}
}

// down carries answers, as far as they are not held or cut.
func (l *wireConn) down() {
	defer l.end()
	for {
		f, err := frame(l.broker)
		if err != nil || !l.answer(f[4:]) {
			return
		}
		if _, err := l.gateway.Write(f); err != nil {
			return
		}
	}
}

func (l *wireConn) end() {
	_, _ = l.gateway.Close(), l.broker.Close()
	w := l.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, l.gateway)
	delete(w.open, l.broker)
	for corr, r := range l.waiting {
		delete(l.waiting, corr)
		if r.request != nil {
			r.request.broken = time.Now()
		}
	}
	w.changed.Broadcast()
}

// request looks at a request on its way to the broker.
func (l *wireConn) request(p []byte) {
	key, version, corr := int16(bigendian.BigEndian.Uint16(p)), int16(bigendian.BigEndian.Uint16(p[2:])), int32(bigendian.BigEndian.Uint32(p[4:]))
	n := max(int(int16(bigendian.BigEndian.Uint16(p[8:]))), 0)
	client, body := string(p[10:10+n]), p[10+n:]
	w := l.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	switch key {
	case kmsg.Metadata.Int16():
		l.waiting[corr] = waiting{key: key, version: version}
	case kmsg.Produce.Int16():
		r := l.produced(body, version)
		r.client = client
		if r.acks != 0 {
			l.waiting[corr] = waiting{key, version, r}
		}
		for _, other := range l.waiting {
			if other.request != nil {
				r.inFlight++
			}
		}
		w.requests = append(w.requests, r)
		w.changed.Broadcast()
	}
}

func (l *wireConn) produced(body []byte, version int16) *produced {
	req := kmsg.ProduceRequest{Version: version}
	if req.IsFlexible() {
		body = body[1:] // no tags
	}
	r := &produced{conn: l.id, at: time.Now()}
	if err := req.ReadFrom(body); err != nil || len(req.Topics) != 1 || len(req.Topics[0].Partitions) != 1 {
		r.topic = "unreadable"
		return r
	}
	topic := req.Topics[0]
	r.topic, r.acks, r.timeout = topic.Topic, req.Acks, req.TimeoutMillis
	if r.topic == "" {
		r.topic = l.wire.names[topic.TopicID]
	}
	b := topic.Partitions[0].Records
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(b); err != nil {
		r.topic = "unreadable"
		return r
	}
	r.pid, r.epoch, r.seq, r.records, r.bytes = batch.ProducerID, batch.ProducerEpoch, batch.FirstSequence, batch.NumRecords, bytes.Clone(b)
	return r
}

// answer looks at an answer on its way to the gateway; false if it is not to get there.
func (l *wireConn) answer(p []byte) bool {
	corr := int32(bigendian.BigEndian.Uint32(p))
	w := l.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := l.waiting[corr]
	if !ok {
		return true
	}
	if kmsg.Key(r.key) == kmsg.Metadata {
		delete(l.waiting, corr)
		w.learn(p[4:], r.version)
		return true
	}
	r.request.answered, r.request.code = true, codeOf(p[4:], r.version)
	w.changed.Broadcast()
	for w.held[r.request.topic] && r.request.broken.IsZero() && !w.closed {
		w.changed.Wait()
	}
	delete(l.waiting, corr)
	if w.cuts[r.request.topic] > 0 {
		w.cuts[r.request.topic]--
		r.request.cut = true
		w.changed.Broadcast()
		return false
	}
	return true
}

// learn notes the ids of topics, which newer produce requests have in place of names.
func (w *wire) learn(body []byte, version int16) {
	resp := kmsg.MetadataResponse{Version: version}
	if resp.IsFlexible() {
		body = body[1:] // no tags
	}
	if resp.ReadFrom(body) != nil {
		return
	}
	for _, t := range resp.Topics {
		if t.Topic != nil {
			w.names[t.TopicID] = *t.Topic
		}
	}
}

func codeOf(body []byte, version int16) int16 {
	resp := kmsg.ProduceResponse{Version: version}
	if resp.IsFlexible() {
		body = body[1:] // no tags
	}
	if resp.ReadFrom(body) != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return -2
	}
	return resp.Topics[0].Partitions[0].ErrorCode
}
