package producer

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// strip is a connection that gives what it holds in pieces, and keeps what is written.
type strip struct {
	net.Conn

	rest    []byte
	piece   int
	written bytes.Buffer
}

func (s *strip) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest[:min(len(s.rest), s.piece)])
	s.rest = s.rest[n:]
	return n, nil
}

func (s *strip) Write(p []byte) (int, error) { return s.written.Write(p) }
func (s *strip) Close() error                { return nil }

// tapped is what a tap counts of a request and the answers behind it, and what came through.
type tapped struct {
	requests, records, retries, responses, throttled, inFlight int64
	limit                                                      bool // whether record 5 of partition 0 may be in the log
	through                                                    string
}

func tapAll(t testing.TB, request, answers []byte, piece int) tapped {
	t.Helper()
	tp := newTap(&metadata{poke: make(chan struct{}, 1)})
	b := newBook()
	l := b.shelf("orders").ledger(0)
	l.given.Store(10)
	inner := &strip{rest: answers, piece: piece}
	c := tp.wrap(inner, b)
	if n, err := c.Write(request); n != len(request) || err != nil || !bytes.Equal(inner.written.Bytes(), request) {
		t.Fatalf("%d of %d bytes written: %v", n, len(request), err)
	}
	through, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	s := &tp.Stats
	return tapped{
		s.Requests.Load(), s.Records.Load(), s.Retries.Load(), s.Responses.Load(), s.ThrottleMs.Load(), s.InFlight.Load(),
		l.mayHold(5, true), string(through),
	}
}

// produceFrames is a produce request with a batch of ten records for partition 0 of orders, and its answer.
func produceFrames(version, acks, code int16) (request, answer []byte) {
	const corr = 7
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = version, acks
	batch := kmsg.RecordBatch{Length: 49 + 10, Magic: 2, ProducerID: 3, NumRecords: 10, Records: make([]byte, 10)}
	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = batch.AppendTo(nil)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = "orders", append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	resp := kmsg.NewPtrProduceResponse()
	resp.Version, resp.ThrottleMillis = version, 5
	rp := kmsg.NewProduceResponseTopicPartition()
	rp.ErrorCode = code
	rt := kmsg.NewProduceResponseTopic()
	rt.Topic, rt.Partitions = "orders", append(rt.Partitions, rp)
	resp.Topics = append(resp.Topics, rt)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("sluice")).AppendRequest(nil, req, corr), answerFrame(resp, corr)
}

func answerFrame(resp kmsg.Response, corr byte) []byte {
	body := []byte{0, 0, 0, corr}
	if resp.IsFlexible() {
		body = append(body, 0) // no tags
	}
	body = resp.AppendTo(body)
	return append([]byte{byte(len(body) >> 24), byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func metadataFrame(version int16) []byte {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = version
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, 7)
}

func metadataAnswer(version int16) kmsg.Response {
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = version
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.TopicID = new("orders"), [16]byte{1}
	resp.Topics = append(resp.Topics, topic)
	return resp
}

func TestTapKnowsAllVersions(t *testing.T) {
	for version := int16(3); version < 13; version++ { // later ones name topics by id only
		for code, stored := range map[int16]bool{0: true, 19: false} {
			request, answer := produceFrames(version, -1, code)
			for _, piece := range []int{1, 3, len(answer)} {
				got := tapAll(t, request, answer, piece)
				want := tapped{requests: 1, records: 10, responses: 1, throttled: 5, limit: stored, through: string(answer)}
				if !stored {
					want.retries = 10
				}
				if got != want {
					t.Errorf("version %d, code %d: %+v, want %+v", version, code, got, want)
				}
			}
			// Not all of the answer comes.
			for n := range len(answer) {
				got := tapAll(t, request, answer[:n], n+1)
				if got.inFlight != 0 || got.retries != 10 || !got.limit || got.responses != 0 {
					t.Fatalf("version %d, code %d: after %d bytes of an answer %+v", version, code, n, got)
				}
			}
		}
	}
}

// FuzzTap: what stands on a connection goes through as it is, and counts the same however it is cut; nothing that a broker answers
// makes the tap panic, or count requests in flight that are not. Versions with tags are left to TestTapKnowsAllVersions: kmsg goes on
// for minutes where billions of tags are announced, and kgo reads the same.
func FuzzTap(f *testing.F) {
	for _, version := range []int16{3, 5, 7, 8} {
		for _, code := range []int16{0, 6, 10, 19, 46} {
			request, answer := produceFrames(version, -1, code)
			f.Add(request, answer, uint8(3))
			f.Add(request, append(bytes.Clone(answer), answer...), uint8(100))
		}
	}
	request, answer := produceFrames(6, 0, 0)
	f.Add(request, answer, uint8(1))
	f.Add(metadataFrame(8), answerFrame(metadataAnswer(8), 7), uint8(9))
	f.Add([]byte{0, 0, 0, 9, 0, 0, 0x7f, 0xff, 0, 0, 0, 7, 0xff, 0xff}, []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7}, uint8(1))
	f.Fuzz(func(t *testing.T, request, answers []byte, piece uint8) {
		if len(request) > 8 {
			request = bytes.Clone(request)
			request[6], request[7] = 0, request[7]%9
		}
		whole := tapAll(t, request, answers, len(answers)+1)
		if whole.through != string(answers) {
			t.Fatalf("%q came through of %q", whole.through, answers)
		}
		if whole.inFlight != 0 {
			t.Fatalf("%d requests are in flight on a closed connection", whole.inFlight)
		}
		if cut := tapAll(t, request, answers, 1+int(piece)); cut != whole {
			t.Fatalf("in pieces: %+v, at once %+v", cut, whole)
		}
	})
}

// FuzzEndTxn: only what is certainly an abort is taken for one.
func FuzzEndTxn(f *testing.F) {
	f.Add([]byte{0, 26, 0, 3, 0, 0, 0, 1, 0xff, 0xff, 0}, "sluice", "t-0", int16(3), true)
	f.Add([]byte{0, 26, 0, 0, 0, 0, 0, 1, 0, 1, 'x', 0, 1, 't', 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0}, "", "", int16(0), false)
	f.Fuzz(func(t *testing.T, raw []byte, client, id string, version int16, commit bool) {
		if len(raw) > 4 {
			raw = bytes.Clone(raw)
			raw[2], raw[3] = 0, raw[3]%3 // without tags: see FuzzTap
		}
		if isAbort(raw) {
			id := 10 + max(int(int16(binary.BigEndian.Uint16(raw[8:]))), 0)
			at := id + 2 + max(int(int16(binary.BigEndian.Uint16(raw[id:]))), 0) + 8 + 2
			if raw[at] != 0 {
				t.Errorf("an abort with commit = %d: %q", raw[at], raw)
			}
		}
		if len(client) > 1<<10 || len(id) > 1<<10 || version < 0 || version > 5 {
			return
		}
		req := kmsg.NewPtrEndTxnRequest()
		req.Version, req.TransactionalID, req.Commit = version, id, commit
		p := kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, req, 1)
		if isAbort(p[4:]) == commit {
			t.Errorf("version %d, client %q, id %q: commit = %v is taken for the opposite", version, client, id, commit)
		}
	})
}
