package realtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	delivered = ""
	queued    = "?ack=queued"
	envelopes = "application/vnd.sluice.records+ndjson"
)

func recordsURL(addr, topic, ack string) string {
	return "http://" + addr + "/v1/topics/" + topic + "/records" + ack
}

// answer is what a request came to; status 0 is none at all, and err says why.
type answer struct {
	status     int
	retryAfter string
	body       []byte
	err        error
	at         time.Time // when the request was sent
	took       time.Duration
}

// stored is the body of an answer about records.
type stored struct {
	Code      string
	Partition *int32
	Offset    *int64
	Records   []struct {
		Partition int32
		Offset    int64
	}
}

func (a answer) parse(t testing.TB) stored {
	t.Helper()
	var s stored
	if err := json.Unmarshal(a.body, &s); err != nil {
		t.Fatalf("answer %v: %v", a, err)
	}
	return s
}

func (a answer) String() string { return fmt.Sprintf("%d %.300s %v", a.status, a.body, a.err) }

// connection sends one request after the other over one connection.
type connection struct{ http *http.Client }

func newConnection(t testing.TB) *connection {
	t.Helper()
	tr := &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1}
	t.Cleanup(tr.CloseIdleConnections)
	return &connection{&http.Client{Transport: tr}}
}

// post sends a request, with headers given as "Name: value".
func (c *connection) post(ctx context.Context, url, body string, headers ...string) answer {
	a := answer{at: time.Now()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		a.err = err
		return a
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer resp.Body.Close()
	if a.body, a.err = io.ReadAll(resp.Body); a.err != nil {
		return a
	}
	a.status, a.retryAfter, a.took = resp.StatusCode, resp.Header.Get("Retry-After"), time.Since(a.at)
	return a
}

// ledger is what became of records according to the answers, one record per request. Records are known by their keys.
type ledger struct {
	keys    []string
	answers []answer
}

func (l *ledger) add(key string, a answer) {
	l.keys = append(l.keys, key)
	l.answers = append(l.answers, a)
}

func merge(ledgers []*ledger) *ledger {
	all := &ledger{}
	for _, l := range ledgers {
		all.keys = append(all.keys, l.keys...)
		all.answers = append(all.answers, l.answers...)
	}
	return all
}

// statuses counts the answers by status.
func (l *ledger) statuses() map[int]int {
	n := make(map[int]int)
	for _, a := range l.answers {
		n[a.status]++
	}
	return n
}

// selected is the answers that match.
func (l *ledger) selected(match func(answer) bool) []answer {
	var some []answer
	for _, a := range l.answers {
		if match(a) {
			some = append(some, a)
		}
	}
	return some
}

// during matches answers of one status to requests sent in a time.
func during(from, to time.Time, status int) func(answer) bool {
	return func(a answer) bool { return a.status == status && a.at.After(from) && a.at.Before(to) }
}

// check compares the answers with the keys found in the log: 200 and 202 mean exactly once, 503 not at all, and everything
// else at most once.
func (l *ledger) check(t testing.TB, found []string) {
	t.Helper()
	times := make(map[string]int, len(found))
	for _, key := range found {
		times[key]++
	}
	wrong := 0
	for i, key := range l.keys {
		n, status := times[key], l.answers[i].status
		delete(times, key)
		ok := n <= 1
		switch status {
		case http.StatusOK, http.StatusAccepted:
			ok = n == 1
		case http.StatusServiceUnavailable:
			ok = n == 0
		}
		if !ok {
			if wrong++; wrong <= 10 {
				t.Errorf("record %s was answered %s and is stored %d times", key, l.answers[i], n)
			}
		}
	}
	if wrong > 10 {
		t.Errorf("%d records like that", wrong)
	}
	if len(times) > 0 {
		t.Errorf("%d records are stored that nobody sent", len(times))
	}
}

// quantiles returns the median, the 99th percentile and the largest time of the answers.
func quantiles(answers []answer) (p50, p99, longest time.Duration) {
	if len(answers) == 0 {
		return 0, 0, 0
	}
	all := make([]time.Duration, len(answers))
	for i, a := range answers {
		all[i] = a.took
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100], all[len(all)-1]
}
