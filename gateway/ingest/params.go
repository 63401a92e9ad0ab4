package ingest

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"sluice/gateway/config"
	"sluice/gateway/idempotency"
	"sluice/gateway/record"
)

// form is how the records lie in the body.
type form uint8

const (
	formRaw         form = iota // the body is one record
	formLines                   // each line is one record value
	formEnvelope                // each line is a JSON object with key, value, headers, partition and timestamp
	formTransaction             // the same, with the topic in each line: all are stored, or none
)

// encoded is bytes that came as they are, or in base64.
type encoded struct {
	b      []byte
	base64 bool
	set    bool
}

type headerParam struct {
	name  []byte
	value encoded
}

// params is what query and headers say of a request. Its slices point into the request and die with it.
type params struct {
	form       form
	queued     bool // ack=queued
	errorsOnly bool // results=errors
	tombstone  bool
	tombstones int // how often X-Kafka-Tombstone was given
	partition  int32
	timestamp  int64
	key        encoded
	encoding   encoding
	encodings  int    // how often Content-Encoding was given
	once       []byte // Idempotency-Key; nil if there is none
	onces      int    // how often it was given
	headers    []headerParam

	defaultTopic []byte // ?topic= of a transaction
	queries      query  // that were given
}

func (p *params) reset() {
	clear(p.headers)
	*p = params{headers: p.headers[:0], partition: record.NoPartition, timestamp: record.NoTimestamp}
}

// parse reads query and headers in one pass over each. known is the query parameters that there are.
func (p *params) parse(ctx *fasthttp.RequestCtx, cfg *config.HTTP, known query) *record.Error {
	p.reset()
	p.form = formOf(ctx.Request.Header.ContentType())
	if len(ctx.URI().QueryString()) > 0 {
		if err := p.parseQuery(ctx.QueryArgs(), known); err != nil {
			return err
		}
	}
	for name, value := range ctx.Request.Header.All() {
		if err := p.header(name, value); err != nil {
			return err
		}
	}
	if p.tombstone && p.form != formRaw {
		return record.Errorf(record.Invalid, "X-Kafka-Tombstone is for a body that is one record")
	}
	if p.onces > 0 {
		if err := p.parseKey(&cfg.Idempotency); err != nil {
			return err
		}
	}
	return p.checkHeaders(cfg)
}

// idempotencyKey takes Idempotency-Key as it is.
func (p *params) idempotencyKey(value []byte) *record.Error {
	if p.onces++; p.onces > 1 {
		return record.Errorf(record.Invalid, "Idempotency-Key is given twice")
	}
	p.once = value
	return nil
}

// parseKey makes the key of the header's value: in a copy, as a request that expects 100-continue is parsed twice.
func (p *params) parseKey(cfg *config.Idempotency) *record.Error {
	if !cfg.Enabled {
		return record.Errorf(record.Invalid, "Idempotency-Key is given, and idempotency.enabled = false")
	}
	key, err := idempotency.ParseKey(bytes.Clone(p.once), cfg.MaxKeyBytes)
	if err != nil {
		return record.Errorf(record.Invalid, "Idempotency-Key is %.100q: %v", p.once, err)
	}
	p.once = key
	return nil
}

// header takes one header of the request. Lengths are compared first, so that the others cost next to nothing.
func (p *params) header(name, value []byte) *record.Error {
	switch name[0] | 0x20 {
	case 'x':
		if len(name) > len("x-kafka-") && equalFold(name[:len("x-kafka-")], "x-kafka-") {
			return p.kafkaHeader(name[len("x-kafka-"):], value)
		}
	case 't':
		if equalFold(name, "traceparent") || equalFold(name, "tracestate") {
			lower(name)
			p.headers = append(p.headers, headerParam{name: name, value: encoded{b: value, set: true}})
		}
	case 'c':
		if equalFold(name, "content-encoding") {
			return p.contentEncoding(value)
		}
	case 'i':
		if equalFold(name, "idempotency-key") {
			return p.idempotencyKey(value)
		}
	}
	return nil
}

func (p *params) contentEncoding(value []byte) (err *record.Error) {
	if p.encodings++; p.encodings > 1 {
		return record.Errorf(record.UnsupportedType, "Content-Encoding is given twice; only one encoding at a time is supported")
	}
	p.encoding, err = encodingOf(value)
	return err
}

// kafkaHeader takes X-Kafka-<name>.
func (p *params) kafkaHeader(name, value []byte) (err *record.Error) {
	switch {
	case equalFold(name, "key"), equalFold(name, "key-base64"):
		if p.key.set {
			return record.Errorf(record.Invalid, "X-Kafka-Key is given twice")
		}
		p.key = encoded{b: value, set: true, base64: len(name) > len("key")}
	case equalFold(name, "partition"):
		if p.partition != record.NoPartition {
			return record.Errorf(record.Invalid, "X-Kafka-Partition is given twice")
		}
		p.partition, err = parsePartition(value, "X-Kafka-Partition")
	case equalFold(name, "timestamp"):
		if p.timestamp != record.NoTimestamp {
			return record.Errorf(record.Invalid, "X-Kafka-Timestamp is given twice")
		}
		p.timestamp, err = parseTimestamp(value, "X-Kafka-Timestamp")
	case equalFold(name, "tombstone"):
		err = p.parseTombstone(value)
	case len(name) > len("header-") && equalFold(name[:len("header-")], "header-"):
		p.recordHeader(name[len("header-"):], value)
	default:
		err = record.Errorf(record.Invalid, "X-Kafka-%s is unknown; there are Key, Key-Base64, Partition, Timestamp, "+
			"Tombstone and Header-<name>", name)
	}
	return err
}

func (p *params) parseTombstone(value []byte) *record.Error {
	if p.tombstones++; p.tombstones > 1 {
		return record.Errorf(record.Invalid, "X-Kafka-Tombstone is given twice")
	}
	p.tombstone = equalFold(value, "true")
	if !p.tombstone && !equalFold(value, "false") {
		return record.Errorf(record.Invalid, "X-Kafka-Tombstone is %q; it is true or false", value)
	}
	return nil
}

func (p *params) recordHeader(name, value []byte) {
	h := headerParam{name: name, value: encoded{b: value, set: true}}
	if n := len(name) - len("-base64"); n > 0 && equalFold(name[n:], "-base64") {
		h.name, h.value.base64 = name[:n], true
	}
	p.headers = append(p.headers, h)
}

func (p *params) checkHeaders(cfg *config.HTTP) *record.Error {
	size := 0
	for i := range p.headers {
		size += len(p.headers[i].name) + p.headers[i].value.size()
	}
	return checkHeaders(len(p.headers), size, cfg)
}

func checkHeaders(n, size int, cfg *config.HTTP) *record.Error {
	if n > cfg.MaxHeaders {
		return record.Errorf(record.HeadersTooLarge, "%d record headers, more than max.record.headers = %d", n, cfg.MaxHeaders)
	}
	if size > cfg.MaxHeaderBytes {
		return record.Errorf(record.HeadersTooLarge, "record headers are %d bytes, more than max.record.header.bytes = %d",
			size, cfg.MaxHeaderBytes)
	}
	return nil
}

// size is how many bytes of arena the value takes at most.
func (e *encoded) size() int {
	if e.base64 {
		return base64.RawStdEncoding.DecodedLen(len(e.b))
	}
	return len(e.b)
}

// into copies the value into the batch's memory. what names it in the error.
func (e *encoded) into(b *record.Batch, what string) ([]byte, *record.Error) {
	if !e.base64 {
		return b.Copy(e.b), nil
	}
	return decodeBase64(b.Alloc(e.size()), e.b, what)
}

// decodeBase64 takes the standard and the URL alphabet, padded or not.
func decodeBase64(dst, src []byte, what string) ([]byte, *record.Error) {
	for range 2 {
		if n := len(src); n > 0 && src[n-1] == '=' {
			src = src[:n-1]
		}
	}
	enc := base64.RawStdEncoding
	for _, c := range src {
		if c == '-' || c == '_' {
			enc = base64.RawURLEncoding
			break
		}
	}
	n, err := enc.Strict().Decode(dst, src)
	if err != nil {
		return nil, record.Errorf(record.Invalid, "%s is not base64: %v", what, err)
	}
	return dst[:n], nil
}

func parsePartition(v []byte, what string) (int32, *record.Error) {
	n, ok := parseNumber(v, math.MaxInt32)
	if !ok {
		return 0, record.Errorf(record.Invalid, "%s is %q; it is a number from 0 to 2147483647", what, v)
	}
	return int32(n), nil
}

// parseNumber reads a decimal number from 0 to most, which has no sign.
func parseNumber(v []byte, most int64) (int64, bool) {
	if len(v) == 0 || v[0] < '0' || v[0] > '9' { // ParseInt would take +1 and -0
		return 0, false
	}
	n, err := strconv.ParseInt(text(v), 10, 64)
	return n, err == nil && n <= most
}

// maxTimestamp is the last millisecond that fits into int64 nanoseconds, which Kafka clients in Go convert it to.
const maxTimestamp = math.MaxInt64 / int64(time.Millisecond)

// parseTimestamp reads milliseconds since the Unix epoch, or RFC 3339.
func parseTimestamp(v []byte, what string) (int64, *record.Error) {
	if n, ok := parseNumber(v, maxTimestamp); ok {
		return n, nil
	}
	if t, err := time.Parse(time.RFC3339, text(v)); err == nil && t.UnixMilli() >= 0 && t.UnixMilli() <= maxTimestamp {
		return t.UnixMilli(), nil
	}
	return 0, record.Errorf(record.Invalid, "%s is %q; it is milliseconds since the Unix epoch, at most %d (year 2262), "+
		"or RFC 3339 such as 2026-01-31T12:00:00Z", what, v, maxTimestamp)
}

// text looks at bytes as a string, for functions that do not keep it.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
