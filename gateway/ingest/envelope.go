package ingest

import (
	"strconv"
	"unicode/utf8"

	"sluice/gateway/record"
)

// envelope reads a line of application/vnd.sluice.records+ndjson:
//
//	{"key": …, "value": …, "headers": …, "partition": n, "timestamp": ms or RFC 3339}
//
// A key that is a string is its text; another value is its compact JSON; null, or none, is Kafka's null. A value that is a
// string is its text; another is its JSON as sent; null is Kafka's null and must be written. key_base64 and value_base64
// are for bytes. headers is an object of string, null, or array of those; or, to keep order and duplicates, an array of
// {"name", "value" or "value_base64"}. A member that is unknown or given twice is an error.
type envelope struct {
	scanner
	batch   *record.Batch
	rec     *record.Record
	seen    members
	headers []record.Header
	routed  bool // the line may name its topic, which was read already
}

// members is a set of members of an envelope or of a header.
type members uint8

const (
	memberKey members = 1 << iota
	memberValue
	memberHeaders
	memberPartition
	memberTimestamp
	memberName
	memberTopic
)

// decodeEnvelope fills rec, which already has what the request says of every record, from a line.
func (r *request) decodeEnvelope(rec *record.Record, line []byte) *record.Error {
	e := &r.envelope
	e.scanner = scanner{b: line, line: r.lines.number}
	e.batch, e.rec, e.seen, e.headers, e.routed = r.batch, rec, 0, e.headers[:0], r.params.form == formTransaction
	if err := e.decode(); err != nil {
		return err
	}
	if e.seen&memberHeaders == 0 {
		return nil
	}
	e.mergeHeaders(r.shared.headers)
	size := 0
	for i := range rec.Headers {
		size += len(rec.Headers[i].Key) + len(rec.Headers[i].Value)
	}
	if err := checkHeaders(len(rec.Headers), size, &r.srv.cfg); err != nil {
		err.Message = "line " + itoa(e.line) + ": " + err.Message
		return err
	}
	return nil
}

func (e *envelope) decode() *record.Error {
	if !utf8.Valid(e.b) {
		return e.errorf("the line is not UTF-8")
	}
	if err := e.expect('{'); err != nil {
		return err
	}
	for first := true; ; {
		more, err := e.next('}', &first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := e.member(); err != nil {
			return err
		}
	}
	if err := e.end(); err != nil {
		return err
	}
	if e.seen&memberValue == 0 {
		return e.errorf(`"value" is missing; a null value is asked for with "value":null`)
	}
	return nil
}

func (e *envelope) member() (err *record.Error) {
	name, err := e.scanner.member() // a name with escapes is none of ours
	if err != nil {
		return err
	}
	switch string(name) {
	case "key":
		if err = e.once(memberKey, "key"); err == nil {
			e.rec.Key, err = e.key()
		}
	case "key_base64":
		if err = e.once(memberKey, "key"); err == nil {
			e.rec.Key, err = e.bytes("key_base64")
		}
	case "value":
		if err = e.once(memberValue, "value"); err == nil {
			e.rec.Value, err = e.recordValue()
		}
	case "value_base64":
		if err = e.once(memberValue, "value"); err == nil {
			e.rec.Value, err = e.bytes("value_base64")
		}
	case "headers":
		if err = e.once(memberHeaders, "headers"); err == nil {
			err = e.readHeaders()
		}
	case "partition":
		if err = e.once(memberPartition, "partition"); err == nil {
			err = e.partition()
		}
	case "timestamp":
		if err = e.once(memberTimestamp, "timestamp"); err == nil {
			err = e.timestamp()
		}
	case "topic":
		if !e.routed {
			return e.errorf(`unknown member "topic": here it is in the path; lines of POST /v1/transactions have it`)
		}
		if err = e.once(memberTopic, "topic"); err == nil {
			_, err = e.topic()
		}
	default:
		err = e.errorf(`unknown member "%s"; there are key, key_base64, value, value_base64, headers, partition and timestamp`, name)
	}
	return err
}

// once notes a member. A member and its _base64 form are the same one.
func (e *envelope) once(m members, name string) *record.Error {
	if e.seen&m != 0 {
		return e.errorf(`"%s" is given twice`, name)
	}
	e.seen |= m
	return nil
}

func (e *envelope) key() ([]byte, *record.Error) {
	switch e.peek() {
	case '"':
		return e.text()
	case 'n':
		return nil, e.literal("null")
	}
	raw, err := e.value()
	if err != nil {
		return nil, err
	}
	return compact(e.batch.Alloc(len(raw))[:0], raw), nil
}

func (e *envelope) recordValue() ([]byte, *record.Error) {
	switch e.peek() {
	case '"':
		return e.text()
	case 'n':
		return nil, e.literal("null")
	}
	raw, err := e.value()
	if err != nil {
		return nil, err
	}
	return e.batch.Copy(raw), nil
}

// text reads a string into the batch's memory.
func (e *envelope) text() ([]byte, *record.Error) {
	raw, escaped, err := e.str()
	if err != nil {
		return nil, err
	}
	if !escaped {
		return e.batch.Copy(raw), nil
	}
	text, ok := unquote(e.batch.Alloc(len(raw))[:0], raw)
	if !ok {
		return nil, e.errorf(`the string before has a \u escape that is half of a surrogate pair`)
	}
	return text, nil
}

// bytes reads a base64 string, or null.
func (e *envelope) bytes(name string) ([]byte, *record.Error) {
	if e.peek() == 'n' {
		return nil, e.literal("null")
	}
	raw, err := e.text() // base64 has a slash, which JSON may escape
	if err != nil {
		return nil, err
	}
	out, err := decodeBase64(raw, raw, name)
	if err != nil {
		return nil, e.located(err)
	}
	return out, nil
}

func (e *envelope) partition() *record.Error {
	if e.peek() == 'n' {
		return e.literal("null")
	}
	raw, err := e.value()
	if err != nil {
		return err
	}
	p, err := parsePartition(raw, "partition")
	if err != nil {
		return e.located(err)
	}
	e.rec.Partition, e.rec.Explicit = p, true
	return nil
}

func (e *envelope) timestamp() (err *record.Error) {
	var raw []byte
	switch e.peek() {
	case 'n':
		return e.literal("null")
	case '"':
		raw, _, err = e.str()
	default:
		raw, err = e.value()
	}
	if err != nil {
		return err
	}
	if e.rec.Timestamp, err = parseTimestamp(raw, "timestamp"); err != nil {
		return e.located(err)
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
