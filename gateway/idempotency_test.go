package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const idempotencyKey = "Idempotency-Key: \"8e03978e-40d5-43dd-bc93-6894a57f9324\""

// repeats wants the answer that was given first, byte for byte.
func (a answer) repeats(t testing.TB, first answer) {
	t.Helper()
	if a.status != first.status || a.body != first.body || a.header.Get("Idempotency-Replayed") != "true" {
		t.Fatalf("answer %d %s %v, want that of the first: %d %s", a.status, a.body, a.header, first.status, first.body)
	}
}

func wantStored(t testing.TB, c *kfake.Cluster, topic string, want int64) {
	t.Helper()
	if n := stored(c, topic); n != want {
		t.Fatalf("%d records are stored in %s, want %d", n, topic, want)
	}
}

func TestRetryWithKeyStoresOnce(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.\"*\"]")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, "a\nb\n"); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	want := int64(0)
	for i, req := range []struct {
		body    string
		headers []string
		records int64
	}{
		{"v", nil, 1},
		{"a\nb\nc\n", []string{ndjson}, 3},
		{packed.String(), []string{ndjson, "Content-Encoding: gzip"}, 2},
		{`{"key":"k","value":1}`, []string{"Content-Type: application/vnd.sluice.records+ndjson"}, 1},
	} {
		key := fmt.Sprint("Idempotency-Key: ", i)
		headers := append(req.headers, key)
		first := r.post(r.url("orders"), req.body, headers...)
		first.want(t, 200, "")
		want += req.records
		for range 3 {
			r.post(r.url("orders"), req.body, headers...).repeats(t, first)
		}
		wantStored(t, c, "orders", want)
		r.post(r.url("orders"), "another", key).want(t, 422, "idempotency_key_reused")
		r.post(r.url("other"), req.body, headers...).want(t, 200, "") // the key of another topic is another one
		wantStored(t, c, "orders", want)
		wantStored(t, c, "other", want)
	}
	metrics := scrapeText(t, r)
	for _, line := range []string{
		`sluice_idempotency_requests_total{result="executed"} 8`, `sluice_idempotency_requests_total{result="replayed"} 12`,
		`sluice_idempotency_requests_total{result="reused"} 4`, `sluice_idempotency_entries{state="answered"} 8`,
		`sluice_idempotency_entries{state="in_progress"} 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the metrics do not say %s", line)
		}
	}
	eventually(t, "the memory limit counts what is remembered", func() bool {
		connections := int64(r.g.ingest.Connections()) * int64(r.g.cfg.Load().HTTP.ReadBufferBytes+connectionMemory)
		_, _, remembered := r.g.ingest.Idempotency().Size(time.Now())
		return remembered > 8*500 && r.g.memoryBudget() == memoryHeadroom+2*(32<<20)+connections+remembered
	})
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

func scrapeText(t testing.TB, r *rig) string {
	t.Helper()
	resp, err := http.Get("http://" + r.g.AdminAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestConcurrentRetriesWithKeyStoreOnce(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	const n = 50
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var err error
			if answers[i], err = post(http.DefaultClient, r.url("orders"), "a\nb\n", ndjson, idempotencyKey); err != nil {
				t.Error(err)
			}
		})
	}
	waited := &r.g.ingest.Idempotency().Stats.Waited
	eventually(t, "all but one wait", func() bool { return waited.Load() == n-1 })
	release()
	wg.Wait()
	replayed := 0
	for _, a := range answers {
		a.want(t, 200, "")
		if a.body != answers[0].body {
			t.Fatalf("%s and %s", a.body, answers[0].body)
		}
		if a.header.Get("Idempotency-Replayed") != "" {
			replayed++
		}
	}
	if replayed != n-1 {
		t.Errorf("%d of %d were answered from memory", replayed, n)
	}
	wantStored(t, c, "orders", 2)
}

func TestRetryAfterRefusalIsExecuted(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.max.block.ms = 0\nproducer.buffer.memory = 65536\nproducer.max.request.size = 32768")
	var a answer
	accepted := int64(0)
	for a.status != 503 {
		a = r.post(r.url("orders")+"?ack=queued", "x", fmt.Sprint("Idempotency-Key: ", accepted))
		accepted++
	}
	key := fmt.Sprint("Idempotency-Key: ", accepted-1)
	r.post(r.url("orders")+"?ack=queued", "x", key).want(t, 503, "buffer_full")
	r.post(r.url("orders")+"?ack=queued", "x", "Idempotency-Key: 0").want(t, 202, "") // from memory: it needs no room
	release()
	eventually(t, "the retry is executed", func() bool { return r.post(r.url("orders")+"?ack=queued", "x", key).status == 202 })
	eventually(t, "all are stored", func() bool { return stored(c, "orders") == accepted })
}

func TestRetryAfterDisconnectGetsTheAnswer(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	ctx, hangUp := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url("orders"), strings.NewReader("v"))
		if err != nil {
			gone <- err
			return
		}
		req.Header.Set("Idempotency-Key", "k")
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		gone <- err
	}()
	eventually(t, "the record is under way", func() bool { return r.g.cluster.Open() == 1 })
	hangUp()
	if err := <-gone; err == nil {
		t.Fatal("the first request was answered: the test shows nothing")
	}
	release()
	a := r.post(r.url("orders"), "v", "Idempotency-Key: k")
	a.want(t, 200, "")
	if a.header.Get("Idempotency-Replayed") == "" || *a.Offset != 0 {
		t.Errorf("%s %v", a.body, a.header)
	}
	wantStored(t, c, "orders", 1)
}

// An outcome that is not known may be stored, so it is not tried again.
func TestRetryAfterUnknownOutcomeIsNotExecuted(t *testing.T) {
	c := fake(t)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: -1})
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.delivery.timeout.ms = 1000\nproducer.request.timeout.ms = 500")
	first := r.post(r.url("orders"), "v", idempotencyKey)
	first.want(t, 504, "delivery_timeout")
	wantStored(t, c, "orders", 1)
	r.post(r.url("orders"), "v", idempotencyKey).repeats(t, first)
	wantStored(t, c, "orders", 1)
}

func TestRetryOfMixedBatchGetsTheFirstAnswer(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	const body = "{\"value\":\"a\"}\n{\"value\":\"b\",\"partition\":77}\n"
	envelope := "Content-Type: application/vnd.sluice.records+ndjson"
	first := r.post(r.url("orders"), body, envelope, idempotencyKey)
	if first.status != 207 || first.Records[1].Error == nil {
		t.Fatal(first)
	}
	r.post(r.url("orders"), body, envelope, idempotencyKey).repeats(t, first)
	wantStored(t, c, "orders", 1)
}
