package ingest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

func TestBodyLimits(t *testing.T) {
	cfg := testConfig()
	cfg.MaxBodyBytes = 300 << 10
	cfg.MaxRecordsPerRequest = 3
	topic := testTopic()
	topic.maxRecord = 200 << 10
	r := newRig(t, cfg, topic)
	for _, tt := range []struct {
		name, body string
		headers    []string
		chunked    bool
		code, says string
	}{
		{"body", strings.Repeat("x", 300<<10+1), nil, false, "body_too_large", "body is 307201 bytes, more than max.body.bytes = 307200"},
		{"body of lines", strings.Repeat("x\n", 200<<10), []string{ndjsonType}, false, "body_too_large", "max.body.bytes = 307200"},
		{
			"record", strings.Repeat("x", 200<<10+1), nil, false, "record_too_large",
			"record is 204801 bytes with key and headers, more than max.request.size = 204800",
		},
		{"record with key", strings.Repeat("x", 200<<10), []string{"X-Kafka-Key: k"}, false, "record_too_large", "204801"},
		{"record in chunks", strings.Repeat("x", 200<<10+1), nil, true, "record_too_large", "max.request.size = 204800"},
		{"records", "a\nb\nc\nd\n", []string{ndjsonType}, false, "too_many_records", "max.records.per.request = 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := r.in(t)
			got := r.do("POST", recordsPath, bodyOf(tt.body, tt.chunked), tt.headers...)
			checkProblem(t, got, 413, tt.code, tt.says)
			if n := len(topic.all()); n != 0 {
				t.Errorf("%d records were stored", n)
			}
		})
	}
	if got := r.in(t).post(recordsPath, strings.Repeat("x", 200<<10)); got.status != 200 {
		t.Errorf("the largest record: %d", got.status)
	}
	if got := r.in(t).post(recordsPath, "a\n\nb\nc\n\n", ndjsonType); got.status != 200 {
		t.Errorf("as many records as may be: %v", got)
	}
}

// A client that sends all of a body that was refused unread must still get to read why.
func TestRefusalIsReadableByWhoGoesOnSending(t *testing.T) {
	cfg := testConfig()
	r := newRig(t, cfg, testTopic())
	for range 20 {
		w := r.dial()
		go func() {
			_, _ = io.WriteString(w, "POST "+recordsPath+" HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"+strings.Repeat("x", 4000000))
		}()
		got := w.read()
		checkProblem(t, got, 413, "body_too_large", "max.body.bytes")
		if !got.closes || !w.ended() {
			t.Fatalf("the connection stays open: %v", got)
		}
	}
}

func TestRequestHeadersTooLarge(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nX-Other: " + strings.Repeat("x", 9000) + "\r\n\r\n")
	checkProblem(t, w.read(), 431, "", "read.buffer.bytes = 8192")
}

// A client that sends all of its header must still get to read why it was refused.
func TestRequestHeadersFarTooLarge(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for range 20 {
		w := r.dial()
		go func() {
			_, _ = io.WriteString(w, "POST "+recordsPath+" HTTP/1.1\r\nHost: x\r\nX-Other: "+strings.Repeat("x", 5<<20)+"\r\n\r\n")
		}()
		checkProblem(t, w.read(), 431, "", "read.buffer.bytes = 8192")
		if !w.ended() {
			t.Fatal("the connection stays open, or was reset")
		}
	}
}

func TestNotHTTP(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	w := r.dial()
	w.write("hello\r\n\r\n")
	checkProblem(t, w.read(), 400, "invalid_request", "cannot be parsed")
	if diff := cmp.Diff([]string{"none 400"}, r.seen.all()); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenChunks(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n")
	got := w.read()
	checkProblem(t, got, 400, "invalid_request", "body cannot be read")
	if !w.ended() || len(r.topic.all()) != 0 {
		t.Error("the connection stays open, or something was stored")
	}
}

func TestContinue(t *testing.T) {
	cfg := testConfig()
	cfg.MaxBodyBytes = 1000
	topic := testTopic()
	topic.maxRecord = 500
	r := newRig(t, cfg, topic)
	head := func(path string, length int, more string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n%sContent-Length: %d\r\n\r\n", path, more, length)
	}
	for _, tt := range []struct {
		head, says string
		status     int
	}{
		{head(recordsPath, 1001, ndjsonType+"\r\n"), "max.body.bytes = 1000", 413},
		{head(recordsPath, 501, ""), "max.request.size = 500", 413},
		{head("/v1/topics/other/records", 5, ""), "no [topics.*] table", 404},
		{head("/nowhere", 5, ""), "no such path", 404},
		{head(recordsPath, 5, "X-Kafka-Partition: x\r\n"), "X-Kafka-Partition", 400},
	} {
		w := r.dial()
		w.write(tt.head)
		got := w.read() // without 100 Continue before it
		checkProblem(t, got, tt.status, "", tt.says)
		if !w.ended() {
			t.Errorf("%s: the connection stays open, and the body may follow", tt.says)
		}
	}
	w := r.dial()
	w.write(head("/v1/topics/%6frders/records", 5, ""))
	if line, err := w.br.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatal(line, err)
	}
	if _, err := w.br.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	w.write("value")
	if got := w.read(); got.status != 200 {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"value"}, topic.values()); diff != "" {
		t.Error(diff)
	}
	r.srv.Drain()
	w = r.dial()
	w.write(head(recordsPath, 5, ""))
	checkProblem(t, w.read(), 503, "draining", "")
}

func TestReceiveMemory(t *testing.T) {
	cfg := testConfig()
	cfg.ReceiveMemory = 256 << 10
	r := newRig(t, cfg, testTopic())
	// Three clients that stop in the middle hold what they have sent, 64 KiB each at least.
	var slow []*wire
	for range 3 {
		w := r.dial()
		w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 64000\r\n\r\n" + strings.Repeat("x", 60000))
		slow = append(slow, w)
	}
	eventually(t, func() bool { return r.srv.ReceiveMemory() >= 3*64<<10 }, func() string {
		return fmt.Sprint("receive.memory: ", r.srv.ReceiveMemory())
	})
	for _, headers := range [][]string{nil, {ndjsonType}} {
		got := r.post(recordsPath, strings.Repeat(strings.Repeat("x", 99)+"\n", 1200), headers...)
		checkProblem(t, got, 503, "overloaded", "receive.memory = 262144")
	}
	if got := r.post(recordsPath, "small"); got.status != 200 {
		t.Errorf("what fits: %v", got)
	}
	for _, w := range slow {
		w.write(strings.Repeat("x", 4000))
		if got := w.read(); got.status != 200 {
			t.Error(got)
		}
	}
	r.settled()
}

// TestReceiveMemoryIsForThoseThatHaveBegun: when it gets scarce, requests that have begun come to their end, and new ones are
// refused.
func TestReceiveMemoryIsForThoseThatHaveBegun(t *testing.T) {
	cfg := testConfig()
	cfg.ReceiveMemory = 512 << 10
	r := newRig(t, cfg, testTopic())
	begun := r.dial()
	line := strings.Repeat("x", 999) + "\n"
	begun.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 20000\r\n\r\n" + line)
	eventually(t, func() bool { return r.srv.ReceiveMemory() > 0 }, func() string { return "no request arrived" })
	others := 449<<10 - int(r.srv.ReceiveMemory())
	if err := r.srv.receive.take(others); err != nil {
		t.Fatal(err)
	}
	got := r.post(recordsPath, "small")
	checkProblem(t, got, 503, "overloaded", "receive.memory = 524288")
	begun.write(strings.Repeat(line, 19))
	if got := begun.read(); got.status != 200 {
		t.Error(got)
	}
	r.srv.receive.give(others)
	if got := r.post(recordsPath, "small"); got.status != 200 {
		t.Error(got)
	}
	r.settled()
}

func TestSlowClientsThatAnnounceMuchHoldLittle(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for range 8 {
		r.dial().write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
	}
	eventually(t, func() bool { return r.srv.ReceiveMemory() > 0 }, func() string { return "no request arrived" })
	if used := r.srv.ReceiveMemory(); used > 8*8<<10 {
		t.Errorf("8 clients that sent one byte each hold %d bytes", used)
	}
}

func TestMaxConnections(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConnections = 2
	r := newRig(t, cfg, testTopic())
	first, second := r.dial(), r.dial()
	request := "POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv"
	for _, w := range []*wire{first, second} {
		w.write(request)
		if got := w.read(); got.status != 200 {
			t.Fatal(got)
		}
	}
	third := r.dial()
	third.write(request)
	got := third.read()
	checkProblem(t, got, 503, "overloaded", "max.connections = 2")
	if got.header.Get("Retry-After") != "1" || !got.closes {
		t.Errorf("the answer over the limit: %v", got)
	}
	if date, ok := got.header["Date"]; ok {
		t.Errorf("the answer was written before the connection came, and has Date %q", date)
	}
	if !third.ended() {
		t.Error("the connection stays open")
	}
	first.Close()
	eventually(t, func() bool {
		w := r.dial()
		defer w.Close()
		if _, err := io.WriteString(w, request); err != nil {
			return false
		}
		resp, err := http.ReadResponse(w.br, nil)
		return err == nil && resp.StatusCode == 200
	}, func() string { return "the place of a closed connection is not free" })
}

func TestReadTimeout(t *testing.T) {
	for name, sent := range map[string]string{
		"in the headers":  "POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\n",
		"before the body": "POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
		"in the body":     "POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
		"in a chunk":      "POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
		"in a line":       "POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\n" + ndjsonType + "\r\nContent-Length: 10\r\n\r\nabc\nd",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.ReadTimeout = 50 * time.Millisecond
			r := newRig(t, cfg, testTopic())
			w := r.dial()
			w.write(sent)
			checkProblem(t, w.read(), 408, "request_timeout", "read.timeout.ms = 50")
			if !w.ended() || len(r.topic.all()) != 0 {
				t.Error("the connection stays open, or something was stored")
			}
		})
	}
}

// A client that sends a byte now and then resets no clock: the whole request has one deadline.
func TestTricklingClient(t *testing.T) {
	cfg := testConfig()
	cfg.ReadTimeout = 200 * time.Millisecond
	r := newRig(t, cfg, testTopic())
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
	start := time.Now()
	stop := make(chan struct{})
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if _, err := w.Write([]byte("x")); err != nil {
					return
				}
			case <-stop:
				return
			}
		}
	}()
	got := w.read()
	close(stop)
	checkProblem(t, got, 408, "request_timeout", "read.timeout.ms = 200")
	if d := time.Since(start); d < 150*time.Millisecond || d > 5*time.Second {
		t.Errorf("answered after %v", d)
	}
}

func TestIdleTimeout(t *testing.T) {
	cfg := testConfig()
	cfg.IdleTimeout = 50 * time.Millisecond
	r := newRig(t, cfg, testTopic())
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv")
	if got := w.read(); got.status != 200 {
		t.Fatal(got)
	}
	if !w.ended() {
		t.Error("the idle connection stays open")
	}
}

// The time that Send blocks is not the client's.
func TestBlockedSendDoesNotCountAsSlowClient(t *testing.T) {
	cfg := testConfig()
	cfg.ReadTimeout = 300 * time.Millisecond
	topic := testTopic()
	topic.batchMemory = 1
	blocked := make(chan struct{})
	first := true
	topic.send = func(topic *memTopic, b *record.Batch) {
		if first {
			first = false
			<-blocked
		}
		topic.storeAll(b)
	}
	r := newRig(t, cfg, topic)
	w := r.dial()
	w.write("POST " + recordsPath + " HTTP/1.1\r\nHost: x\r\n" + ndjsonType + "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n")
	time.AfterFunc(400*time.Millisecond, func() { close(blocked) })
	<-blocked
	w.write("2\r\nb\n\r\n0\r\n\r\n")
	if got := w.read(); got.status != 200 {
		t.Error(got)
	}
}

func TestWriteTimeout(t *testing.T) {
	cfg := testConfig()
	cfg.WriteTimeout = 100 * time.Millisecond
	cfg.MaxRecordsPerRequest = 1 << 20
	topic := testTopic()
	topic.quiet = true
	r := newRig(t, cfg, topic)
	w := r.dial()
	if err := w.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("x\n", 500<<10)
	w.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: %d\r\n\r\n%s", recordsPath, ndjsonType, len(body), body))
	// An answer of some 15 MB is not read, and fills every buffer on its way.
	eventually(t, func() bool { return len(r.seen.all()) == 1 }, func() string { return "no answer was made" })
	eventually(t, func() bool { return r.srv.Connections() == 1 }, // the listener counts as one
		func() string { return fmt.Sprint(r.srv.Connections(), " connections are open") })
}

func TestPipelining(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	w := r.dial()
	var all strings.Builder
	for i := range 50 {
		v := fmt.Sprintf("value %d", i)
		switch i % 3 {
		case 0:
			fmt.Fprintf(&all, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", recordsPath, len(v), v)
		case 1:
			fmt.Fprintf(&all, "POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", recordsPath, len(v), v)
		default:
			fmt.Fprintf(&all, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: %d\r\n\r\n%s\n", recordsPath, ndjsonType, len(v)+1, v)
		}
	}
	w.write(all.String())
	for i := range 50 {
		if got := w.read(); got.status != 200 || !strings.Contains(got.body, fmt.Sprintf(`"offset":%d`, i)) {
			t.Fatal(i, got)
		}
	}
	for i, v := range r.topic.values() {
		if v != fmt.Sprintf("value %d", i) {
			t.Fatalf("record %d is %q", i, v)
		}
	}
}
