package ingest

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/gateway/record"
)

func TestHealthAndReadiness(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := r.do("GET", path, nil); got.status != 200 || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", path, got)
		}
		if got := r.do("HEAD", path, nil); got.status != 200 || got.body != "" {
			t.Errorf("HEAD %s: %v", path, got)
		}
	}
	r.srv.Drain()
	if got := r.do("GET", "/healthz", nil); got.status != 200 {
		t.Error(got)
	}
	checkProblem(t, r.do("GET", "/readyz", nil), 503, "draining", "shutting down")
}

func TestNotReady(t *testing.T) {
	srv := New(testConfig(), memTopics{}, new(record.Pool), nil, discardLog())
	partly, why := "", errors.New("no broker of localhost:9092 answers")
	srv.Ready = func() (string, error) { return partly, why }
	r := serveRig(t, srv, testTopic())
	checkProblem(t, r.do("GET", "/readyz", nil), 503, "not_available", "localhost:9092")
	partly, why = `only "some"`, nil
	if got := r.do("GET", "/readyz", nil); got.status != 200 || got.body != `{"status":"ready","detail":"only \"some\""}` {
		t.Errorf("partly ready: %d %s", got.status, got.body)
	}
}

func TestDrain(t *testing.T) {
	topic := testTopic()
	var l later
	topic.send = l.send
	r := newRig(t, testConfig(), topic)
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv")
	eventually(t, func() bool { return len(l.taken()) == 1 }, func() string { return "no batch was sent" })
	r.srv.Drain()
	got := r.post(recordsPath, "v")
	checkProblem(t, got, 503, "draining", "shutting down")
	if !got.closes {
		t.Error("a refused connection stays open")
	}
	// What was taken before is finished.
	l.taken()[0].Complete(0, record.Ack{Offset: 1, Timestamp: 1, Code: record.Stored})
	if got := w.read(); got.status != 200 || !got.closes {
		t.Error(got)
	}
}

func TestShutdownWaitsForHandlers(t *testing.T) {
	topic := testTopic()
	var l later
	topic.send = l.send
	r := newRig(t, testConfig(), topic)
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv")
	eventually(t, func() bool { return len(l.taken()) == 1 }, func() string { return "no batch was sent" })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown with a handler under way: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- r.srv.Shutdown(t.Context()) }()
	l.taken()[0].Complete(0, record.Ack{Offset: 1, Timestamp: 1, Code: record.Stored})
	if got := w.read(); got.status != 200 {
		t.Error(got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPanicIsOneRequests(t *testing.T) {
	topic := testTopic()
	topic.send = func(*memTopic, *record.Batch) { panic("a bug") } //nolint:forbidigo // the panic of a topic is what is tested
	srv := New(testConfig(), memTopics{"orders": topic}, new(record.Pool), nil, discardLog())
	r := serveRig(t, srv, topic)
	checkProblem(t, r.post(recordsPath, "v"), 500, "internal_error", "internal error")
	topic.send = nil
	if got := r.post(recordsPath, "v"); got.status != 200 {
		t.Error(got)
	}
}
