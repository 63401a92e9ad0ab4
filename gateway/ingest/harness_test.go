package ingest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// stored is a record as the test topic got it, copied.
type stored struct {
	Key, Value []byte
	Headers    []string // name=value, <null> for null
	Partition  int32
	Explicit   bool
	Timestamp  int64
}

// memTopic is a topic in memory. Its offsets count from 0, in partition 0 unless the record says otherwise.
type memTopic struct {
	name        string
	batchMemory int
	maxRecord   int
	await       time.Duration
	// send, if set, is called instead of storing everything at once.
	send func(t *memTopic, b *record.Batch)

	mu      sync.Mutex
	records []stored
	batches []int
	quiet   bool // for benchmarks: keep nothing
	offset  int64
}

func (t *memTopic) Name() string                { return t.name }
func (t *memTopic) BatchMemory() int            { return t.batchMemory }
func (t *memTopic) MaxRecordBytes() int         { return t.maxRecord }
func (t *memTopic) AwaitTimeout() time.Duration { return t.await }

func (t *memTopic) Send(b *record.Batch) {
	if t.send != nil {
		t.send(t, b)
		return
	}
	t.storeAll(b)
}

func (t *memTopic) storeAll(b *record.Batch) {
	t.mu.Lock()
	t.batches = append(t.batches, len(b.Records))
	t.mu.Unlock()
	for i, n := 0, len(b.Records); i < n; i++ {
		if !b.Records[i].Done() {
			t.storeOne(b, i)
		}
	}
}

func (t *memTopic) storeOne(b *record.Batch, i int) {
	r := &b.Records[i]
	t.mu.Lock()
	offset := t.offset
	t.offset++
	if !t.quiet {
		t.records = append(t.records, copyOf(r))
	}
	t.mu.Unlock()
	partition := max(r.Partition, 0)
	ts := r.Timestamp
	if ts < 0 {
		ts = 1700000000000
	}
	b.Complete(i, record.Ack{Offset: offset, Timestamp: ts, Partition: partition, Code: record.Stored})
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

func copyOf(r *record.Record) stored {
	s := stored{Key: clone(r.Key), Value: clone(r.Value), Partition: r.Partition, Explicit: r.Explicit, Timestamp: r.Timestamp}
	for _, h := range r.Headers {
		v := string(h.Value)
		if h.Value == nil {
			v = "<null>"
		}
		s.Headers = append(s.Headers, strings.Clone(h.Key)+"="+v)
	}
	return s
}

func (t *memTopic) all() []stored {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]stored(nil), t.records...)
}

func (t *memTopic) values() []string {
	var v []string
	for _, r := range t.all() {
		v = append(v, string(r.Value))
	}
	return v
}

type memTopics map[string]*memTopic

func (t memTopics) Topic(name []byte) (Topic, *record.Error) {
	if topic, ok := t[string(name)]; ok {
		return topic, nil
	}
	return nil, record.Errorf(record.TopicNotAllowed, "no [topics.*] table matches %q", name)
}

// seen counts what the Observer is told.
type seen struct {
	mu    sync.Mutex
	calls []string
	bytes atomic.Int64
}

func (s *seen) Request(route Route, status int, d time.Duration, bytesIn int) {
	s.mu.Lock()
	s.calls = append(s.calls, fmt.Sprintf("%s %d", route, status))
	s.mu.Unlock()
	s.bytes.Add(int64(bytesIn))
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func testConfig() config.HTTP {
	return config.HTTP{
		MaxBodyBytes: 2 << 20, MaxInflatedBytes: 4 << 20, MaxRecordsPerRequest: 10000, MaxHeaders: 16, MaxHeaderBytes: 1 << 10,
		ReadBufferBytes: 8 << 10, MaxConnections: 64, ReceiveMemory: 64 << 20,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second,
		Idempotency: config.Idempotency{Enabled: true, MaxBytes: 16 << 20, MaxAnswerBytes: 64 << 10, MaxKeyBytes: 64, TTL: time.Hour},
	}
}

func testTopic() *memTopic {
	return &memTopic{name: "orders", batchMemory: 64 << 10, maxRecord: 1 << 20, await: 10 * time.Second}
}

// rig is a server on a loopback port.
type rig struct {
	t     *testing.T
	srv   *Server
	topic *memTopic
	pool  *record.Pool
	seen  *seen
	addr  string
	http  *http.Client
}

func newRig(t *testing.T, cfg config.HTTP, topic *memTopic) *rig {
	t.Helper()
	pool, seen := new(record.Pool), new(seen)
	srv := New(cfg, memTopics{topic.name: topic}, pool, seen, discardLog())
	var r *rig
	t.Cleanup(func() { r.settled() }) // after the server was shut down
	r = serveRig(t, srv, topic)
	r.pool, r.seen = pool, seen
	return r
}

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// serveRig serves srv until the test ends.
func serveRig(t *testing.T, srv *Server, topic *memTopic) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{
		t: t, srv: srv, topic: topic, addr: ln.Addr().String(),
		http: &http.Client{Transport: &http.Transport{DisableCompression: true}},
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		r.http.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return r
}

// in is the same server, with nothing stored, for a subtest.
func (r *rig) in(t *testing.T) *rig {
	t.Helper()
	r.topic.mu.Lock()
	r.topic.records, r.topic.batches, r.topic.offset = nil, nil, 0
	r.topic.mu.Unlock()
	sub := *r
	sub.t = t
	return &sub
}

// settled waits until nothing of any request is left, and fails if something stays.
func (r *rig) settled() {
	r.t.Helper()
	eventually(r.t, func() bool { return r.pool.Live() == 0 && r.srv.ReceiveMemory() == 0 }, func() string {
		return fmt.Sprintf("%d batches and %d bytes of receive.memory are left", r.pool.Live(), r.srv.ReceiveMemory())
	})
}

func eventually(t *testing.T, ok func() bool, what func() string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(what())
		}
	}
}

type answer struct {
	status int
	body   string
	header http.Header
	closes bool // Connection: close
}

// post sends a body with headers given as "Name: value".
func (r *rig) post(path, body string, headers ...string) answer {
	r.t.Helper()
	return r.do("POST", path, strings.NewReader(body), headers...)
}

func (r *rig) do(method, path string, body io.Reader, headers ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.addr+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header[name] = append(req.Header[name], value) // as written
	}
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return readAnswer(r.t, resp)
}

func readAnswer(t *testing.T, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: resp.StatusCode, body: string(b), header: resp.Header, closes: resp.Close}
}

// wire is a connection on which a test writes what it likes.
type wire struct {
	net.Conn
	t  *testing.T
	br *bufio.Reader
}

func (r *rig) dial() *wire {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return &wire{Conn: c, t: r.t, br: bufio.NewReader(c)}
}

func (w *wire) write(s string) {
	w.t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) read() answer {
	w.t.Helper()
	resp, err := http.ReadResponse(w.br, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return readAnswer(w.t, resp)
}

// ended says whether the server has closed the connection.
func (w *wire) ended() bool {
	_, err := w.br.ReadByte()
	return err == io.EOF
}
