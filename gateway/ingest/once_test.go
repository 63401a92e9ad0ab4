package ingest

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/idempotency"
	"sluice/gateway/record"
)

const (
	onceKey = `Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"`
)

func onceRig(t *testing.T, topic *memTopic) *rig {
	t.Helper()
	return newRig(t, testConfig(), topic)
}

func (a answer) replayed() bool { return a.header.Get("Idempotency-Replayed") == "true" }

// wantReplay wants the answer that was given before, byte for byte.
func wantReplay(t *testing.T, got, first answer) {
	t.Helper()
	if !got.replayed() {
		t.Errorf("not from memory: %v", got)
	}
	if first.replayed() {
		t.Errorf("the first answer says that it is from memory: %v", first)
	}
	if got.status != first.status || got.body != first.body || got.header.Get("Content-Type") != first.header.Get("Content-Type") {
		t.Errorf("got %v, want what was answered first: %v", got, first)
	}
}

func TestRetryGetsTheFirstAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		query, body string
		headers     []string
		status      int
		records     int
	}{
		"raw":                {"", "v", nil, 200, 1},
		"raw with key":       {"", "v", []string{"X-Kafka-Key: k", "X-Kafka-Header-a: b"}, 200, 1},
		"raw, large":         {"", strings.Repeat("v", 500_000), nil, 200, 1},
		"tombstone":          {"", "", []string{"X-Kafka-Key: k", "X-Kafka-Tombstone: true"}, 200, 1},
		"raw, queued":        {"?ack=queued", "v", nil, 202, 1},
		"lines":              {"", "a\nb\nc", []string{ndjsonType}, 200, 3},
		"many lines":         {"", strings.Repeat("line\n", 5000), []string{ndjsonType}, 200, 5000},
		"lines, errors only": {"?results=errors", "a\nb\nc\n", []string{ndjsonType}, 200, 3},
		"lines, queued":      {"?ack=queued", "a\nb\nc\n", []string{ndjsonType}, 202, 3},
		"envelopes":          {"", `{"key":"k","value":1}`, []string{envelopeType}, 200, 1},
		"some not stored":    {"", "{\"value\":1}\nnonsense\n{\"value\":2}\n", []string{envelopeType}, 207, 2},
		"gzip":               {"", packed(t, "gzip", "a\nb\n"), []string{ndjsonType, "Content-Encoding: gzip"}, 200, 2},
		"zstd, raw":          {"", packed(t, "zstd", "a\nb\n"), []string{"Content-Encoding: zstd"}, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Idempotency.MaxAnswerBytes = 1 << 20
			r := newRig(t, cfg, testTopic())
			headers := append(slices.Clone(c.headers), onceKey)
			first := r.post(recordsPath+c.query, c.body, headers...)
			if first.status != c.status {
				t.Fatal(first)
			}
			wantReplay(t, r.post(recordsPath+c.query, c.body, headers...), first)
			wantReplay(t, r.do("POST", recordsPath+c.query, io.MultiReader(strings.NewReader(c.body)), headers...), first) // chunked
			if n := len(r.topic.all()); n != c.records {
				t.Errorf("%d records are stored, want %d", n, c.records)
			}
			if got := r.srv.Idempotency().Stats.Replayed.Load(); got != 2 {
				t.Errorf("%d were counted as replayed", got)
			}
			again := r.post(recordsPath+c.query, c.body, append(slices.Clone(c.headers), "Idempotency-Key: other")...)
			if again.replayed() || len(r.topic.all()) != 2*c.records {
				t.Errorf("another key: %v", again)
			}
		})
	}
}

func TestKeyOfAnotherRequest(t *testing.T) {
	r := onceRig(t, testTopic())
	headers := []string{onceKey, "X-Kafka-Key: k", "X-Kafka-Header-a: b", "X-Kafka-Partition: 0", "X-Kafka-Timestamp: 5"}
	first := r.post(recordsPath, "value", headers...)
	if first.status != 200 {
		t.Fatal(first)
	}
	with := func(old, new string) []string {
		return strings.Split(strings.Replace(strings.Join(headers, "\n"), old, new, 1), "\n")
	}
	for name, got := range map[string]answer{
		"body":           r.post(recordsPath, "valuE", headers...),
		"longer body":    r.post(recordsPath, "value ", headers...),
		"shorter body":   r.post(recordsPath, "valu", headers...),
		"path":           r.post("/v1/topics/orde%72s/records", "value", headers...), // which may mean the same, and need not
		"queued":         r.post(recordsPath+"?ack=queued", "value", headers...),
		"results":        r.post(recordsPath+"?results=errors", "value", headers...),
		"lines":          r.post(recordsPath, "value", append(headers, ndjsonType)...),
		"key":            r.post(recordsPath, "value", with("Key: k", "Key: l")...),
		"key in base64":  r.post(recordsPath, "value", with("X-Kafka-Key: k", "X-Kafka-Key-Base64: k000")...),
		"no key":         r.post(recordsPath, "value", with("X-Kafka-Key: k", "X-Other: k")...),
		"header's value": r.post(recordsPath, "value", with("a: b", "a: c")...),
		"header's name":  r.post(recordsPath, "value", with("a: b", "A: b")...),
		"no header":      r.post(recordsPath, "value", with("X-Kafka-Header-a", "X-Other")...),
		"more headers":   r.post(recordsPath, "value", append(headers, "X-Kafka-Header-b: b")...),
		"partition":      r.post(recordsPath, "value", with("Partition: 0", "Partition: 1")...),
		"timestamp":      r.post(recordsPath, "value", with("Timestamp: 5", "Timestamp: 6")...),
	} {
		t.Run(name, func(t *testing.T) { checkProblem(t, got, 422, "idempotency_key_reused", "8e03978e") })
	}
	for name, got := range map[string]answer{
		"as it was":     r.post(recordsPath, "value", headers...),
		"bare":          r.post(recordsPath, "value", with(`"8e03978e-40d5-43dd-bc93-6894a57f9324"`, "8e03978e-40d5-43dd-bc93-6894a57f9324")...),
		"another trace": r.post(recordsPath, "value", append(headers, "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")...),
		"content type":  r.post(recordsPath, "value", append(headers, "Content-Type: text/plain")...),
		"compressed":    r.post(recordsPath, packed(t, "gzip", "value"), append(headers, "Content-Encoding: gzip")...),
		"case of name":  r.post(recordsPath, "value", with("Idempotency-Key", "idempotency-KEY")...),
	} {
		t.Run(name, func(t *testing.T) { wantReplay(t, got, first) })
	}
	if n := len(r.topic.all()); n != 1 {
		t.Errorf("%d records are stored", n)
	}
	if got := r.srv.Idempotency().Stats.Reused.Load(); got != 16 {
		t.Errorf("%d were counted as reused", got)
	}
}

// An empty body is a whole body, though nobody has to read it.
func TestKeyOfTombstone(t *testing.T) {
	r := onceRig(t, testTopic())
	tombstone := []string{onceKey, "X-Kafka-Key: k", "X-Kafka-Tombstone: true"}
	if got := r.post(recordsPath, "", tombstone...); got.status != 200 {
		t.Fatal(got)
	}
	checkProblem(t, r.post(recordsPath, "v", tombstone...), 422, "idempotency_key_reused", "")
}

// What is remembered is every outcome that leaves a record, or may.
func TestWhatIsRemembered(t *testing.T) {
	remembered := map[record.Code]bool{
		record.Stored: true, record.Dropped: true, record.DeadLettered: true, record.DeliveryTimeout: true, record.Unknown: true,
		record.Internal:  true,
		record.KeyReused: true, // no outcome of a record, so nothing is known of it
	}
	topic := testTopic()
	r := onceRig(t, topic)
	for _, code := range record.Codes() {
		cause := &record.Error{Code: code, Message: "the reason"}
		if code == record.DeadLettered {
			cause.Letter = &record.Letter{Topic: "dead"}
		}
		for form, headers := range map[string][]string{"raw": nil, "lines": {ndjsonType}} {
			for _, query := range []string{"", "?ack=queued"} {
				key := fmt.Sprintf("Idempotency-Key: %v-%s-%s", code, form, query)
				send := func() answer { return r.post(recordsPath+query, "v", append(headers, key)...) }
				topic.send = func(t *memTopic, b *record.Batch) {
					if code == record.Stored {
						t.storeAll(b)
						return
					}
					b.Fail(0, cause)
				}
				first := send()
				topic.send = nil
				second := send()
				if second.replayed() != remembered[code] {
					t.Errorf("%v, %s%s: first %v, then %v; remembered: want %v", code, form, query, first, second, remembered[code])
				}
				if second.replayed() {
					wantReplay(t, second, first)
				}
			}
		}
	}
}

// A request that was refused, for whatever reason, does not use its key up.
func TestRefusedRequestsDoNotUseTheKey(t *testing.T) {
	r := onceRig(t, testTopic())
	for name, got := range map[string]answer{
		"parameters": r.post(recordsPath, "v", onceKey, "X-Kafka-Partition: x"),
		"empty":      r.post(recordsPath, "", onceKey),
		"large":      r.post(recordsPath, strings.Repeat("x", 2<<20), onceKey),
		"not gzip":   r.post(recordsPath, "v", onceKey, "Content-Encoding: gzip"),
		"no lines":   r.post(recordsPath, "\n\n", onceKey, ndjsonType),
		"nonsense":   r.post(recordsPath, "nonsense\n", onceKey, envelopeType),
	} {
		if got.status < 400 || got.replayed() {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := r.post(recordsPath, "v", onceKey); got.status != 200 || got.replayed() {
		t.Error(got)
	}
	if got := r.srv.Idempotency().Stats.Forgotten.Load(); got < 4 {
		t.Errorf("%d were counted as forgotten", got)
	}
}

func TestUnknownOutcomeIsNotTriedAgain(t *testing.T) {
	var l later
	topic := testTopic()
	topic.await = 20 * time.Millisecond
	topic.send = l.send
	r := onceRig(t, topic)
	first := r.post(recordsPath, "v", onceKey)
	checkProblem(t, first, 504, "outcome_unknown", "may or may not")
	l.taken()[0].Complete(0, record.Ack{Code: record.Stored}) // which cannot be told any more
	wantReplay(t, r.post(recordsPath, "v", onceKey), first)
	if n := len(l.taken()); n != 1 {
		t.Errorf("%d batches were sent", n)
	}
}

func TestConcurrentDuplicatesGetOneAnswer(t *testing.T) {
	var l later
	topic := testTopic()
	topic.send = l.send
	r := onceRig(t, topic)
	const n = 50
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { answers[i] = r.post(recordsPath, "a\nb\n", onceKey, ndjsonType) })
	}
	stats := &r.srv.Idempotency().Stats
	eventually(t, func() bool { return stats.Waited.Load() == n-1 }, func() string {
		return fmt.Sprintf("%d of %d wait", stats.Waited.Load(), n-1)
	})
	if l := len(l.taken()); l != 1 {
		t.Fatalf("%d batches were sent", l)
	}
	b := l.taken()[0]
	b.Complete(1, record.Ack{Offset: 8, Timestamp: 1, Code: record.Stored})
	b.Complete(0, record.Ack{Offset: 7, Timestamp: 1, Code: record.Stored})
	wg.Wait()
	first := slices.IndexFunc(answers, func(a answer) bool { return !a.replayed() })
	for i, a := range answers {
		if i != first {
			wantReplay(t, a, answers[first])
		}
	}
	if want := `{"topic":"orders","records":[{"partition":0,"offset":7},{"partition":0,"offset":8}]}`; answers[first].body != want {
		t.Error(answers[first])
	}
	if n := len(l.taken()); n != 1 {
		t.Errorf("%d batches were sent", n)
	}
}

// A duplicate that waits is executed when nothing comes of the first, and it need not be the same request then.
func TestWaitingDuplicateTakesOver(t *testing.T) {
	var l later
	topic := testTopic()
	topic.send = l.send
	r := onceRig(t, topic)
	first, second := make(chan answer, 1), make(chan answer, 1)
	go func() { first <- r.post(recordsPath, "v", onceKey) }()
	eventually(t, func() bool { return len(l.taken()) == 1 }, func() string { return "no batch was sent" })
	go func() { second <- r.post(recordsPath, "a\nb\n", onceKey, ndjsonType) }()
	eventually(t, func() bool { return r.srv.Idempotency().Stats.Waited.Load() == 1 }, func() string { return "nobody waits" })
	l.taken()[0].Complete(0, record.Errorf(record.NotAvailable, "no leader").Failed(0))
	checkProblem(t, <-first, 503, "not_available", "no leader")
	eventually(t, func() bool { return len(l.taken()) == 2 }, func() string { return "the second is not executed" })
	for i := range 2 {
		l.taken()[1].Complete(i, record.Ack{Offset: int64(i), Timestamp: 1, Code: record.Stored})
	}
	if got := <-second; got.status != 200 || got.replayed() {
		t.Error(got)
	}
}

func TestWaitingEndsWithConflict(t *testing.T) {
	var l later
	topic := testTopic()
	topic.send = l.send
	r := onceRig(t, topic)
	topic.await = 50 * time.Millisecond
	w := r.dial() // a first that is still sending has no such limit
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" + onceKey + "\r\n\r\na")
	stats := &r.srv.Idempotency().Stats
	eventually(t, func() bool { return stats.Claimed.Load() == 1 }, func() string { return "the key is not claimed" })
	got := r.post(recordsPath, "ab", onceKey)
	if got.status != 409 || got.header.Get("Retry-After") != "1" || !strings.Contains(got.body, `"code":"idempotency_key_in_use"`) ||
		!strings.Contains(got.body, "still in progress after 50 ms") || !strings.Contains(got.body, `"retryable":true`) {
		t.Error(got)
	}
	if got := stats.TimedOut.Load(); got != 1 {
		t.Errorf("%d were counted as in use", got)
	}
	w.write("b")
	checkProblem(t, w.read(), 504, "outcome_unknown", "")
	l.taken()[0].Complete(0, record.Ack{Offset: 1, Timestamp: 1, Code: record.Stored})
}

// The time that a duplicate waits is not the client's.
func TestWaitingDoesNotCountAsReading(t *testing.T) {
	var l later
	topic := testTopic()
	topic.send = l.send
	cfg := testConfig()
	cfg.ReadTimeout = 200 * time.Millisecond
	r := newRig(t, cfg, topic)
	first := make(chan answer, 1)
	go func() { first <- r.post(recordsPath, "value", onceKey) }()
	eventually(t, func() bool { return len(l.taken()) == 1 }, func() string { return "no batch was sent" })
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + onceKey + "\r\n\r\nval")
	start := time.Now()
	eventually(t, func() bool { return time.Since(start) > 2*cfg.ReadTimeout }, func() string { return "" })
	l.taken()[0].Complete(0, record.Ack{Offset: 1, Timestamp: 1, Code: record.Stored})
	got := <-first
	w.write("ue")
	wantReplay(t, w.read(), got)
}

// The gateway learns what became of a request whose client has gone.
func TestRetryAfterDisconnect(t *testing.T) {
	var l later
	topic := testTopic()
	topic.send = l.send
	r := onceRig(t, topic)
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n" + onceKey + "\r\n\r\nv")
	eventually(t, func() bool { return len(l.taken()) == 1 }, func() string { return "no batch was sent" })
	w.Close()
	second := make(chan answer, 1)
	go func() { second <- r.post(recordsPath, "v", onceKey) }()
	eventually(t, func() bool { return r.srv.Idempotency().Stats.Waited.Load() == 1 }, func() string { return "nobody waits" })
	l.taken()[0].Complete(0, record.Ack{Offset: 41, Timestamp: 1, Code: record.Stored})
	if got := <-second; got.status != 200 || !got.replayed() || !strings.Contains(got.body, `"offset":41`) {
		t.Error(got)
	}
	if n := len(l.taken()); n != 1 {
		t.Errorf("%d batches were sent", n)
	}
}

// A client that goes while it still sends has a part of its records stored. Its retry learns which.
func TestRetryAfterHalfABody(t *testing.T) {
	topic := testTopic()
	topic.batchMemory = 1 // every record is sent as soon as it is there
	r := onceRig(t, topic)
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nContent-Type: application/x-ndjson\r\n" + onceKey + "\r\n\r\na\nb\nc")
	eventually(t, func() bool { return len(topic.all()) == 2 }, func() string { return "two are complete" })
	w.Close()
	got := r.post(recordsPath, "a\nb\nc\n", onceKey, ndjsonType)
	const want = `{"topic":"orders","records":[{"partition":0,"offset":0},{"partition":0,"offset":1}],"error":{"code":"invalid_request",` +
		`"message":"the request broke off after 2 records, those behind were not sent: body ended after 5 bytes, before its end"}}`
	if got.status != 207 || !got.replayed() || got.body != want {
		t.Error(got)
	}
	checkProblem(t, r.post(recordsPath, "a\nX\nc\n", onceKey, ndjsonType), 422, "idempotency_key_reused", "")
	if diff := cmp.Diff([]string{"a", "b"}, topic.values()); diff != "" {
		t.Error(diff)
	}
}

// A client that goes before anything of it was sent leaves nothing behind.
func TestRetryAfterNothingWasSent(t *testing.T) {
	r := onceRig(t, testTopic())
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n" + onceKey + "\r\n\r\nabc")
	stats := &r.srv.Idempotency().Stats
	eventually(t, func() bool { return stats.Claimed.Load() == 1 }, func() string { return "the key is not claimed" })
	w.Close()
	if got := r.post(recordsPath, "abcdef", onceKey); got.status != 200 || got.replayed() {
		t.Error(got)
	}
}

func TestAnswersAreForgottenInTime(t *testing.T) {
	cfg := testConfig()
	cfg.Idempotency.TTL = 50 * time.Millisecond
	r := newRig(t, cfg, testTopic())
	r.post(recordsPath, "v", onceKey)
	eventually(t, func() bool { return !r.post(recordsPath, "v", onceKey).replayed() }, func() string { return "it is remembered for ever" })
	if n := len(r.topic.all()); n != 2 {
		t.Errorf("%d records are stored", n)
	}
}

func TestOldAnswersMakeRoom(t *testing.T) {
	cfg := testConfig()
	cfg.Idempotency.MaxBytes = 64 << 10
	r := newRig(t, cfg, testTopic())
	const n = 300
	for i := range n {
		r.post(recordsPath, "v", fmt.Sprint("Idempotency-Key: ", i))
	}
	_, answers, used := r.srv.Idempotency().Size(time.Now())
	if used > 64<<10 || answers < 50 || int(r.srv.Idempotency().Stats.Evicted.Load())+answers != n {
		t.Errorf("%d answers, %d bytes", answers, used)
	}
	if !r.post(recordsPath, "v", fmt.Sprint("Idempotency-Key: ", n-1)).replayed() {
		t.Error("the newest is forgotten")
	}
	if r.post(recordsPath, "v", "Idempotency-Key: 0").replayed() {
		t.Error("the oldest is remembered")
	}
}

func TestTooManyInProgress(t *testing.T) {
	var l later
	topic := testTopic()
	topic.send = l.send
	cfg := testConfig()
	cfg.Idempotency.MaxBytes = 4 << 10 // two requests
	r := newRig(t, cfg, topic)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			if got := r.post(recordsPath, "v", fmt.Sprint("Idempotency-Key: ", i)); got.status != 200 {
				t.Error(got)
			}
		})
	}
	eventually(t, func() bool { return len(l.taken()) == 2 }, func() string { return "no batch was sent" })
	checkProblem(t, r.post(recordsPath, "v", "Idempotency-Key: 2"), 503, "overloaded", "idempotency.max.bytes = 4096")
	for _, b := range l.taken() {
		b.Complete(0, record.Ack{Timestamp: 1, Code: record.Stored})
	}
	wg.Wait()
	topic.send = nil
	if got := r.post(recordsPath, "v", "Idempotency-Key: 2"); got.status != 200 || got.replayed() {
		t.Error(got)
	}
}

func TestLargeAnswersAreSummarised(t *testing.T) {
	for name, c := range map[string]struct {
		query, body string
		send        func(*memTopic, *record.Batch)
		status      int
		want        string
	}{
		"stored":   {"", strings.Repeat("v\n", 1000), nil, 200, `{"topic":"orders","stored":1000,"dropped":0,"dead_lettered":0,"failed":0,"summary":`},
		"accepted": {"?ack=queued", strings.Repeat("v\nfull\n", 1000), sendThroughModule, 207, `{"topic":"orders","accepted":1000,"dropped":0,"dead_lettered":0,"failed":1000,`},
		"mixed":    {"", strings.Repeat("v\ndrop\nfull\nfull\n", 500), sendThroughModule, 207, `{"topic":"orders","stored":500,"dropped":500,"dead_lettered":0,"failed":1000,`},
		"unknown": {"", strings.Repeat("v\n", 1000), func(_ *memTopic, b *record.Batch) {
			for i := range b.Records {
				b.Fail(i, record.Errorf(record.Unknown, "lost %d", i))
			}
		}, 504, `"status":504,"code":"outcome_unknown","detail":"the answer was `},
		"broken off": {"", strings.Repeat("v\n", 10001), nil, 207, `"error":{"code":"too_many_records","message":"the request broke off after `},
	} {
		t.Run(name, func(t *testing.T) {
			topic := testTopic()
			topic.send = c.send
			cfg := testConfig()
			cfg.Idempotency.MaxAnswerBytes = 4 << 10
			r := newRig(t, cfg, topic)
			first := r.post(recordsPath+c.query, c.body, onceKey, ndjsonType)
			if first.status != c.status || len(first.body) < 4<<10 {
				t.Fatal(first.status, len(first.body))
			}
			stored := len(topic.all())
			got := r.post(recordsPath+c.query, c.body, onceKey, ndjsonType)
			if !got.replayed() || got.status != c.status || got.header.Get("Content-Type") != first.header.Get("Content-Type") {
				t.Error(got)
			}
			if !strings.Contains(got.body, c.want) || !strings.Contains(got.body, fmt.Sprint(len(first.body), " bytes")) {
				t.Errorf("got %s, want %s", got.body, c.want)
			}
			if len(got.body) > idempotency.SummaryBytes {
				t.Errorf("a summary of %d bytes: %s", len(got.body), got.body)
			}
			if n := len(topic.all()); n != stored {
				t.Errorf("%d records are stored again", n-stored)
			}
		})
	}
}

func TestBadKeys(t *testing.T) {
	r := onceRig(t, testTopic())
	for value, rule := range map[string]string{
		"": "must not be empty", `"abc`: "closing quote is missing", "a b": "without spaces", "a,b": "inside of quotes",
		strings.Repeat("x", 65): "65 bytes, more than idempotency.key.max.bytes = 64", "\xc3\xa4": "printable ASCII",
	} {
		got := checkProblem(t, r.post(recordsPath, "v", "Idempotency-Key: "+value), 400, "invalid_request", "Idempotency-Key is ")
		if !strings.Contains(got.Detail, rule) {
			t.Errorf("%q: %s", value, got.Detail)
		}
	}
	checkProblem(t, r.post(recordsPath, "v", "Idempotency-Key: a", "Idempotency-Key: a"), 400, "invalid_request", "Idempotency-Key is given twice")
	if n := len(r.topic.all()); n != 0 {
		t.Errorf("%d records are stored", n)
	}
}

func TestKeysCanBeRefused(t *testing.T) {
	cfg := testConfig()
	cfg.Idempotency.Enabled = false
	r := newRig(t, cfg, testTopic())
	checkProblem(t, r.post(recordsPath, "v", onceKey), 400, "invalid_request", "idempotency.enabled = false")
	if got := r.post(recordsPath, "v"); got.status != 200 {
		t.Error(got)
	}
}

// Asking whether a request may be sent does not use its key.
func TestKeyWithExpectContinue(t *testing.T) {
	r := onceRig(t, testTopic())
	for i := range 2 {
		w := r.dial()
		w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\nIdempotency-Key: \"a\\\"b\"\r\n\r\n")
		line, err := w.br.ReadString('\n')
		if err != nil || !strings.Contains(line, "100") {
			t.Fatal(line, err)
		}
		if _, err := w.br.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		w.write("v")
		if got := w.read(); got.status != 200 || got.replayed() != (i == 1) {
			t.Error(i, got)
		}
	}
}

// A request that ended in a bug may have stored something, so it is not executed again.
func TestPanicIsRemembered(t *testing.T) {
	topic := testTopic()
	topic.send = func(t *memTopic, b *record.Batch) {
		t.storeAll(b)
		panic("a bug") //nolint:forbidigo // the panic of a topic is what is tested
	}
	srv := New(testConfig(), memTopics{"orders": topic}, new(record.Pool), nil, discardLog())
	r := serveRig(t, srv, topic)
	first := r.post(recordsPath, "v", onceKey)
	checkProblem(t, first, 500, "internal_error", "internal error")
	topic.send = nil
	wantReplay(t, r.post(recordsPath, "v", onceKey), first)
	if n := len(topic.all()); n != 1 {
		t.Errorf("%d records are stored", n)
	}
}

// A connection goes on after each kind of answer.
func TestConnectionOutlivesReplays(t *testing.T) {
	r := onceRig(t, testTopic())
	w := r.dial()
	for i, body := range []string{"abc", "abc", "abd", "abcdef", "ab", "abc"} {
		w.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n\r\n%s", recordsPath, len(body), onceKey, body))
		want := 422
		if body == "abc" {
			want = 200
		}
		if got := w.read(); got.status != want || got.closes {
			t.Fatal(i, got)
		}
	}
}

func TestSettingLeavesRoomForSummaries(t *testing.T) {
	if idempotency.SummaryBytes != 1024 {
		t.Error("the least value of idempotency.answer.max.bytes in the table of settings has to be idempotency.SummaryBytes")
	}
}
