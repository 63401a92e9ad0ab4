package admin

import (
	"bytes"
	"encoding/json"

	"sluice/gateway/ingest"
	"sluice/gateway/record"
	"sluice/wasmhost"
)

// Records reads lines of application/vnd.sluice.records+ndjson, as the data plane does, for guests to be tried on. Errors name
// the line.
func Records(text []byte) ([]wasmhost.Record, error) {
	pool := &record.Pool{}
	b := pool.Batch() // is never freed: records lie in its memory
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := ingest.Line(b, b.Add(""), line, number); err != nil {
			return nil, invalid("%s", err.Message)
		}
	}
	return guestRecords(b), nil
}

// recordsOf reads a JSON list of what would be lines.
func recordsOf(list []json.RawMessage) ([]wasmhost.Record, error) {
	pool := &record.Pool{}
	b := pool.Batch()
	for i, one := range list {
		if err := ingest.Line(b, b.Add(""), one, 1); err != nil {
			return nil, invalid("records[%d]: %s", i, err.Message)
		}
	}
	return guestRecords(b), nil
}

func guestRecords(b *record.Batch) []wasmhost.Record {
	all := make([]wasmhost.Record, len(b.Records))
	for i := range b.Records {
		r := &b.Records[i]
		headers := make([]wasmhost.Header, len(r.Headers))
		for k := range r.Headers {
			headers[k] = wasmhost.Header(r.Headers[k])
		}
		all[i] = wasmhost.Record{Key: r.Key, Value: r.Value, Headers: headers, Timestamp: r.Timestamp, Partition: r.Partition}
	}
	return all
}
