package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/drill/check"
)

const (
	headerName  = "drill" // a record header that every record has
	largeRecord = 4000    // bytes; every twentieth record is so large
	smallRecord = 300
	bulkyRecord = 30_000
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
	spooled   form = "spooled"   // the same, for a topic with a spool
	bulky     form = "bulky"     // the same, with large records

	transaction form = "transaction" // like envelopes, over all topics of the sender
)

// size is how many records a request has.
func (f form) size() int {
	switch f {
	case values, envelopes:
		return 8
	case transaction:
		return 4
	case keyed, unkeyed, queued, spooled, bulky:
	}
	return 1
}

// onDisk says whether the records go into a spool.
func (f form) onDisk() bool { return f == spooled || f == bulky }

// waits says whether the answer comes when Kafka has the records.
func (f form) waits() bool { return f != queued && !f.onDisk() }

// payload is the value of a record: JSON with its id, so that it is the same bytes in every form.
func (s *sender) payload(e *check.Entry) []byte {
	size, more := smallRecord/2, ""
	if e.Seq%20 == 19 {
		size = largeRecord
	}
	if s.form == bulky {
		size = bulkyRecord
	}
	if s.odd && e.Seq%30 == 17 {
		more = `"odd":"as no integer is",`
	}
	return fmt.Appendf(nil, `{"id":%q,%s"pad":"%s"}`, e.ID, more, strings.Repeat("x", size))
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
	Topic string          `json:"topic,omitempty"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// url is where the sender's requests go.
func (s *sender) url() string {
	switch s.form {
	case transaction:
		return "http://" + s.addr + "/v1/transactions"
	case queued, spooled, bulky:
		return "http://" + s.addr + "/v1/topics/" + s.topics[0] + "/records?ack=queued"
	case keyed, unkeyed, values, envelopes:
	}
	return "http://" + s.addr + "/v1/topics/" + s.topics[0] + "/records"
}

// httpRequest makes the request for records of which entries already have their ids and keys.
func (s *sender) httpRequest(ctx context.Context, entries []check.Entry) (*http.Request, error) {
	var body bytes.Buffer
	for i := range entries {
		line, err := s.line(&entries[i])
		if err != nil {
			return nil, err
		}
		body.Write(line)
		if s.form.size() > 1 {
			body.WriteByte('\n')
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url(), &body)
	if err != nil {
		return nil, err
	}
	req.Header["X-Kafka-Header-"+headerName] = []string{s.name()}        // set as it is: the record header has this spelling
	if (s.letters != "" || s.form == transaction) && s.request%20 == 9 { // the brokers refuse it: a dead letter, or no transaction
		req.Header.Set("X-Kafka-Timestamp", strconv.FormatInt(time.Now().Add(refusedAhead).UnixMilli(), 10))
	} else if s.clocks.Load() {
		req.Header.Set("X-Kafka-Timestamp", timestamp(time.Now(), s.form.waits() || s.letters != "")) // else one that was accepted would be lost
	}
	switch s.form {
	case envelopes, transaction:
		req.Header.Set("Content-Type", "application/vnd.sluice.records+ndjson")
	case values:
		req.Header.Set("Content-Type", "application/x-ndjson")
		req.Header.Set("X-Kafka-Key", entries[0].Key)
	case keyed, queued, spooled, bulky:
		req.Header.Set("X-Kafka-Key", entries[0].Key)
	case unkeyed:
	}
	return req, nil
}

// line is what the body of a request has for a record. It notes the record's sum.
func (s *sender) line(e *check.Entry) ([]byte, error) {
	value := s.payload(e)
	e.Sum = sum(e.Key, value, []byte(s.name()))
	switch s.form {
	case envelopes:
		return json.Marshal(envelope{Key: e.Key, Value: value})
	case transaction:
		return json.Marshal(envelope{Topic: e.Topic, Key: e.Key, Value: value})
	case keyed, unkeyed, values, queued, spooled, bulky:
	}
	return value, nil
}
