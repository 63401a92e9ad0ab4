package ingest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"sluice/gateway/record"
)

// While Send waits for the topic's memory nobody else pays for the batch, so receive.memory has to.
func TestReceiveMemoryCoversBlockedSends(t *testing.T) {
	const clients, size = 4, 200 << 10
	line := strings.Repeat("x", 1023) + "\n"
	for _, tt := range []struct {
		name, path, contentType string
		batchMemory             int
		fails                   bool
	}{
		{"raw", recordsPath, "text/plain", 1 << 30, false},
		{"raw, refused", recordsPath, "text/plain", 1 << 30, true},
		{"raw, queued", recordsPath + "?ack=queued", "text/plain", 1 << 30, false},
		{"lines, the last batch", recordsPath, "application/x-ndjson", 1 << 30, false},
		{"lines, a full batch", recordsPath, "application/x-ndjson", size, false},
		{"lines, refused", recordsPath, "application/x-ndjson", size, true},
		{"lines, queued", recordsPath + "?ack=queued", "application/x-ndjson", size, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.ReceiveMemory = 2 << 20
			topic := testTopic()
			topic.batchMemory = tt.batchMemory
			waiting, blocked := make(chan struct{}, 16), make(chan struct{})
			topic.send = func(topic *memTopic, b *record.Batch) {
				waiting <- struct{}{}
				<-blocked
				if tt.fails {
					failAll(b)
					return
				}
				topic.storeAll(b)
			}
			r := newRig(t, cfg, topic)
			unblock := sync.OnceFunc(func() { close(blocked) })
			t.Cleanup(unblock) // before the server waits for its handlers
			answers := make(chan answer, clients)
			for range clients {
				go func() {
					answers <- r.post(tt.path, strings.Repeat(line, size/len(line)), "Content-Type: "+tt.contentType)
				}()
				<-waiting
			}
			if used := r.srv.ReceiveMemory(); used < clients*size {
				t.Fatalf("%d requests of %d bytes wait in Send, and receive.memory has %d", clients, size, used)
			}
			newcomer := r.post(tt.path, strings.Repeat("x", 1<<20))
			checkProblem(t, newcomer, 503, "overloaded", fmt.Sprint("receive.memory = ", cfg.ReceiveMemory))
			unblock()
			for range clients {
				got := <-answers
				if stored := got.status == 200 || got.status == 202; stored == tt.fails {
					t.Error(got.status, got.body[:min(len(got.body), 200)])
				}
			}
			r.settled()
		})
	}
}

func failAll(b *record.Batch) {
	for i, n := 0, len(b.Records); i < n; i++ {
		b.Fail(i, record.Errorf(record.BufferFull, "buffer.memory = 1 is full"))
	}
}

// What a client holds while its body comes in follows what it has sent, not what it announced.
func TestAnnouncedBodyHoldsWhatWasSent(t *testing.T) {
	for _, tt := range []struct{ announced, sent, least, most int }{
		{8 << 10, 1, 8 << 10, 8 << 10},
		{49000, 1000, 4 << 10, 8 << 10},
		{1000000, 20000, 20000, 64 << 10},
		{1000000, 70000, 70000, 256 << 10},
	} {
		r := newRig(t, testConfig(), testTopic())
		w := r.dial()
		w.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", recordsPath, tt.announced, strings.Repeat("x", tt.sent)))
		held := func() int { return int(r.srv.ReceiveMemory()) }
		eventually(t, func() bool { return held() >= tt.least }, func() string { return fmt.Sprintf("%+v: %d bytes are held", tt, held()) })
		if n := held(); n > tt.most {
			t.Errorf("%+v: %d bytes are held", tt, n)
		}
		w.write(strings.Repeat("x", tt.announced-tt.sent))
		if got := w.read(); got.status != 200 {
			t.Errorf("%+v: %v", tt, got)
		}
		if v := r.topic.values(); len(v) != 1 || v[0] != strings.Repeat("x", tt.announced) {
			t.Errorf("%+v: stored %d records", tt, len(v))
		}
	}
}
