package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"sluice/gateway/drill/check"
)

const (
	headerName  = "drill" // a record header that every record has
	largeRecord = 4000    // bytes; every twentieth record is so large
	smallRecord = 300
	keysEach    = 3 // of a sender
)

// form is how a sender sends.
type form string

const (
	keyed     form = "keyed"     // one record per request, with a key
	unkeyed   form = "unkeyed"   // one record per request, the partitioner chooses
	values    form = "values"    // NDJSON, one key for all
	envelopes form = "envelopes" // NDJSON with a key of its own for each record
	queued    form = "queued"    // one keyed record per request, ?ack=queued
)

// size is how many records a request has.
func (f form) size() int {
	if f == values || f == envelopes {
		return 8
	}
	return 1
}

// payload is the value of a record: JSON with its id, so that it is the same bytes in every form.
func payload(id string, size int) []byte {
	return fmt.Appendf(nil, `{"id":%q,"pad":"%s"}`, id, strings.Repeat("x", size))
}

// payloadID is the id in a value; "" if there is none.
func payloadID(value []byte) string {
	var p struct{ ID string }
	if json.Unmarshal(value, &p) != nil {
		return ""
	}
	return p.ID
}

func sum(key string, value, header []byte) uint64 {
	return check.Sum([]byte(key), value, []byte(headerName), header)
}

// envelope is a line of application/vnd.sluice.records+ndjson.
type envelope struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// httpRequest makes the request for records of which entries already have their ids and keys.
func (s *sender) httpRequest(ctx context.Context, entries []check.Entry) (*http.Request, error) {
	url := "http://" + s.addr + "/v1/topics/" + s.topic + "/records"
	if s.form == queued {
		url += "?ack=queued"
	}
	var body bytes.Buffer
	for i := range entries {
		size := smallRecord / 2
		if entries[i].Seq%20 == 19 {
			size = largeRecord
		}
		value := payload(entries[i].ID, size)
		entries[i].Sum = sum(entries[i].Key, value, []byte(s.name()))
		if s.form == envelopes {
			line, err := json.Marshal(envelope{entries[i].Key, value})
			if err != nil {
				return nil, err
			}
			value = line
		}
		body.Write(value)
		if s.form.size() > 1 {
			body.WriteByte('\n')
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, &body)
	if err != nil {
		return nil, err
	}
	req.Header["X-Kafka-Header-"+headerName] = []string{s.name()} // set as it is: the record header has this spelling
	switch s.form {
	case envelopes:
		req.Header.Set("Content-Type", "application/vnd.sluice.records+ndjson")
	case values:
		req.Header.Set("Content-Type", "application/x-ndjson")
		req.Header.Set("X-Kafka-Key", entries[0].Key)
	case keyed, queued:
		req.Header.Set("X-Kafka-Key", entries[0].Key)
	case unkeyed:
	}
	return req, nil
}
