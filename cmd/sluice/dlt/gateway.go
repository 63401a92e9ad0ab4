package dlt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/deadletter"
)

const (
	retryWait      = time.Second // where no answer says how long
	maxAnswerBytes = 1 << 20
)

// gateway is a gateway that runs, to which records are sent as any client sends them.
type gateway struct {
	base    string // URL
	timeout time.Duration
	http    *http.Client
	keep    bool        // partitions
	reached atomic.Bool // it has answered before
}

func newGateway(base string, timeout time.Duration, keep bool) *gateway {
	return &gateway{
		base: strings.TrimSuffix(base, "/"), timeout: timeout, keep: keep,
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}},
	}
}

// send sends the record of a letter and waits for its outcome. What the gateway cannot take now is sent again until timeout,
// with the same Idempotency-Key; the error is that of a gateway that does not take it until then.
func (g *gateway) send(ctx context.Context, l *Letter, topic string) (result, error) {
	body, err := envelope(l.again(topic, g.keep))
	if err != nil {
		return result{outcome: refused, code: "not_sent", message: err.Error()}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, g.timeout, fmt.Errorf("--timeout %v", g.timeout))
	defer cancel()
	var last error
	for {
		a, err := g.post(ctx, topic, l.ID, body)
		if err == nil && !a.again() {
			return a.result(), nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
			if err == nil {
				last = errors.New(a.String())
			}
		}
		if errors.Is(err, syscall.ECONNREFUSED) && !g.reached.Load() {
			return result{}, fmt.Errorf("no gateway answers at %s (--url): %w", g.base, err)
		}
		select {
		case <-time.After(a.wait()):
		case <-ctx.Done():
			return result{}, fmt.Errorf("letter %s: %w; the gateway at %s said: %w", l.at(), context.Cause(ctx), g.base, last)
		}
	}
}

func (g *gateway) post(ctx context.Context, topic, id string, body []byte) (*answer, error) {
	to := g.base + "/v1/topics/" + url.PathEscape(topic) + "/records"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/vnd.sluice.records+ndjson")
	req.Header.Set("Idempotency-Key", quoted(id))
	resp, err := g.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	g.reached.Store(true)
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, err
	}
	a := &answer{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After"), topic: topic}
	if err := json.Unmarshal(text, &a.body); err != nil {
		a.body.Code, a.body.Detail = strconv.Itoa(a.status), line(string(text), messageWidth)
	}
	return a, nil
}

// quoted is an id as a string of RFC 8941, which holds printable ASCII only.
func quoted(id string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(id) {
		switch c := id[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "%%%02x", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// envelopeJSON is a line of application/vnd.sluice.records+ndjson. Bytes are in base64, which nil makes null.
type envelopeJSON struct {
	Key       []byte       `json:"key_base64"`
	Value     []byte       `json:"value_base64"`
	Headers   []headerJSON `json:"headers,omitempty"`
	Partition *int32       `json:"partition,omitempty"`
	Timestamp *int64       `json:"timestamp,omitempty"`
}

func envelope(r *kgo.Record) ([]byte, error) {
	e := envelopeJSON{Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		if !utf8.ValidString(h.Key) {
			return nil, fmt.Errorf("the name of its header %q is not UTF-8, which the gateway cannot be told: use --via kafka", h.Key)
		}
		e.Headers = append(e.Headers, headerJSON{h.Key, h.Value})
	}
	if r.Partition >= 0 {
		e.Partition = &r.Partition
	}
	if at := r.Timestamp.UnixMilli(); at >= 0 {
		e.Timestamp = &at
	}
	return json.Marshal(e)
}

// answer is what a gateway said to one record.
type answer struct {
	topic      string
	status     int
	retryAfter string
	body       struct {
		Code, Detail string
		Records      []struct {
			Topic      string
			Partition  int32
			Offset     *int64
			Dropped    bool
			DeadLetter *struct {
				Topic     string
				Partition int32
				Offset    *int64
			} `json:"dead_letter"`
			Error         *struct{ Code, Message string }
			Code, Message string
		}
	}
}

func (a *answer) String() string {
	return fmt.Sprintf("%d %s: %s", a.status, a.body.Code, a.body.Detail)
}

// again says that the record was not stored and may be sent again.
func (a *answer) again() bool {
	switch a.status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return true
	case http.StatusConflict: // a request with the same key is in progress
		return a.retryAfter != ""
	default:
		return false
	}
}

// wait is how long to wait before the record is sent again.
func (a *answer) wait() time.Duration {
	if a == nil {
		return retryWait
	}
	seconds, err := strconv.Atoi(a.retryAfter)
	if err != nil || seconds < 0 {
		return retryWait
	}
	return time.Duration(seconds) * time.Second
}

func (a *answer) result() result {
	if a.status >= http.StatusBadRequest || len(a.body.Records) != 1 {
		return result{outcome: refused, code: a.body.Code, message: a.body.Detail}
	}
	r := a.body.Records[0]
	topic := a.topic
	if r.Topic != "" {
		topic = r.Topic
	}
	switch {
	case r.Error != nil:
		return result{outcome: refused, code: r.Error.Code, message: r.Error.Message}
	case r.DeadLetter != nil:
		return result{outcome: lettered, to: place(r.DeadLetter.Topic, r.DeadLetter.Partition, r.DeadLetter.Offset), code: r.Code, message: r.Message}
	case r.Dropped:
		return result{outcome: dropped, to: "dropped", code: "dropped", message: r.Message}
	default:
		return result{outcome: replayed, to: place(topic, r.Partition, r.Offset)}
	}
}

func place(topic string, partition int32, offset *int64) string {
	if offset == nil {
		return deadletter.Place(topic, partition, -1)
	}
	return deadletter.Place(topic, partition, *offset)
}
