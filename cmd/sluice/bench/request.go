package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
)

// The dialects a request can be written in.
const (
	dialectRaw     = "raw"     // the body is one record
	dialectNDJSON  = "ndjson"  // each line is one record's value
	dialectRecords = "records" // each line is {"key","value"}
)

const (
	keyDigits = 8 // a key is "k" and this many digits, so that it can be changed in place
	keyFormat = "k%0*d"
	maxKeys   = 100_000_000
	variety   = 100 // distinct values among the records of a load, so that compression is neither useless nor absurd
)

// shape is what a request carries.
type shape struct {
	topic   string
	dialect string
	ack     string // delivered, queued
	records int    // per request
	size    int    // bytes of a record's value
	keys    int    // distinct keys; 0 for none
}

// request is one HTTP request, written once and sent again and again; only its keys change.
type request struct {
	bytes []byte
	keyAt []int // where the digits of each key begin
	keys  int
	next  int
}

// newRequest writes the request for a gateway at base.
func newRequest(base *url.URL, s shape) *request {
	body, keyAt := s.body()
	r := &request{keys: s.keys}
	path := base.EscapedPath() + "/v1/topics/" + url.PathEscape(s.topic) + "/records"
	if s.ack == ackQueued {
		path += "?ack=queued"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sluice-bench\r\n", path, base.Host)
	fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", s.contentType(), len(body))
	if s.dialect == dialectRaw && s.keys > 0 {
		b.WriteString("X-Kafka-Key: ")
		r.keyAt = append(r.keyAt, b.Len()+1)
		fmt.Fprintf(&b, keyFormat+"\r\n", keyDigits, 0)
	}
	b.WriteString("\r\n")
	for _, at := range keyAt {
		r.keyAt = append(r.keyAt, b.Len()+at)
	}
	b.Write(body)
	r.bytes = b.Bytes()
	return r
}

func (s shape) contentType() string {
	switch s.dialect {
	case dialectNDJSON:
		return "application/x-ndjson"
	case dialectRecords:
		return "application/vnd.sluice.records+ndjson"
	default:
		return "application/octet-stream"
	}
}

// body writes the records and says where in them the digits of the keys begin.
func (s shape) body() (body []byte, keyAt []int) {
	vs := values(s.size, s.records)
	if s.dialect == dialectRaw {
		return vs[0], nil
	}
	var b bytes.Buffer
	for i := range s.records {
		v := vs[i%len(vs)]
		switch {
		case s.dialect == dialectNDJSON:
			b.Write(v)
		case s.keys > 0:
			b.WriteString(`{"key":"k`)
			keyAt = append(keyAt, b.Len())
			fmt.Fprintf(&b, `%0*d","value":%s}`, keyDigits, 0, v)
		default:
			fmt.Fprintf(&b, `{"value":%s}`, v)
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), keyAt
}

// values makes up to [variety] JSON values of exactly size bytes each, the same ones in every run.
func values(size, records int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // filler, not a secret
	vs := make([][]byte, min(records, variety))
	for i := range vs {
		vs[i] = bytes.Repeat([]byte{'1'}, size)
		if size < len(`{"v":""}`) {
			continue
		}
		copy(vs[i], `{"v":"`)
		for j := len(`{"v":"`); j < size-2; j++ {
			vs[i][j] = byte('A' + rng.IntN(26))
		}
		copy(vs[i][size-2:], `"}`)
	}
	return vs
}

// clone is a copy for one connection, which begins with another key than the others.
func (r *request) clone(connection int) *request {
	const spread = 7919 // a prime, so that connections do not walk through the keys in step
	c := &request{bytes: slices.Clone(r.bytes), keyAt: r.keyAt, keys: r.keys}
	if c.keys > 0 {
		c.next = connection * spread % c.keys
	}
	return c
}

// turn gives every record its next key and returns the request's bytes, valid until the next call.
func (r *request) turn() []byte {
	for _, at := range r.keyAt {
		n := r.next
		for i := at + keyDigits - 1; i >= at; i-- {
			r.bytes[i] = byte('0' + n%10)
			n /= 10
		}
		if r.next++; r.next == r.keys {
			r.next = 0
		}
	}
	return r.bytes
}
