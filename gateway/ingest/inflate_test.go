package ingest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

func packed(t testing.TB, how, plain string) string {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	var err error
	switch how {
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&buf)
	case "deflate":
		w = zlib.NewWriter(&buf)
	case "raw deflate":
		w, err = flate.NewWriter(&buf, 6)
	case "zstd":
		w, err = zstd.NewWriter(&buf)
	case "snappy":
		w = snappy.NewBufferedWriter(&buf)
	case "snappy block":
		return string(snappy.Encode(nil, []byte(plain)))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

var packings = []string{"gzip", "x-gzip", "deflate", "raw deflate", "zstd", "snappy", "snappy block"}

func encodingHeader(how string) string {
	return "Content-Encoding: " + strings.Fields(strings.TrimPrefix(how, "raw "))[0]
}

func TestEncodings(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, how := range packings {
		for _, size := range []int{1, 100, 70 << 10, 900 << 10} {
			for _, chunked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/chunked=%v", how, size, chunked), func(t *testing.T) {
					r := r.in(t)
					line := strings.Repeat("0123456789", size/20+1)[:(size+1)/2]
					body := line + "\n" + line
					for contentType, want := range map[string][]string{"text/plain": {body}, "application/x-ndjson": {line, line}} {
						r := r.in(t)
						got := r.do("POST", recordsPath, bodyOf(packed(t, how, body), chunked), encodingHeader(how), "Content-Type: "+contentType)
						if got.status != 200 {
							t.Fatal(got)
						}
						if diff := cmp.Diff(want, r.topic.values()); diff != "" {
							t.Error(diff[:min(len(diff), 300)])
						}
					}
				})
			}
		}
	}
	if got := r.in(t).post(recordsPath, "v", "Content-Encoding: identity"); got.status != 200 {
		t.Error(got)
	}
}

func TestNotEncodedAsSaid(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, how := range packings {
		whole := packed(t, how, strings.Repeat("0123456789", 1000))
		for name, body := range map[string]string{
			"empty": "", "other bytes": "hello, world, this is text", "cut off": whole[:len(whole)/2],
			"cut at the end": whole[:len(whole)-1],
		} {
			got := r.post(recordsPath, body, encodingHeader(how))
			if got.status != 400 && got.status != 413 {
				t.Errorf("%s, %s: %v", how, name, got)
				continue
			}
			checkProblem(t, got, got.status, "", "")
		}
	}
	if n := len(r.topic.all()); n != 0 {
		t.Errorf("%d records were stored", n)
	}
}

// The body ends where the compressed stream does.
func TestBytesAfterCompressedStream(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, how := range packings {
		whole := packed(t, how, "v\n")
		for _, after := range []string{"x", "\x00\x00", "garbage after it", strings.Repeat("x", 70<<10)} {
			for _, contentType := range []string{"text/plain", "application/x-ndjson"} {
				for _, chunked := range []bool{false, true} {
					got := r.do("POST", recordsPath, bodyOf(whole+after, chunked), encodingHeader(how), "Content-Type: "+contentType)
					if got.status != 400 {
						t.Errorf("%s, %.9q of %d bytes, %s: %v", how, after, len(after), contentType, got)
						continue
					}
					checkProblem(t, got, 400, "invalid_request", "body ")
					if len(after) == 16 && !strings.HasPrefix(how, "snappy") {
						checkProblem(t, got, 400, "invalid_request", "other bytes after the end")
					}
				}
			}
		}
	}
	if n := len(r.topic.all()); n != 0 {
		t.Errorf("%d records were stored", n)
	}
}

// A body that stops after the compressed stream, but before its Content-Length, did not arrive.
func TestCompressedBodyCutShort(t *testing.T) {
	for _, how := range packings {
		cfg := testConfig()
		cfg.ReadTimeout = 100 * time.Millisecond
		r := newRig(t, cfg, testTopic())
		whole := packed(t, how, "v\n")
		for _, closes := range []bool{false, true} {
			w := r.dial()
			w.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: %d\r\n\r\n%s", recordsPath,
				encodingHeader(how), len(whole)+5, whole))
			if closes {
				if err := w.Conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				checkProblem(t, w.read(), 400, "invalid_request", fmt.Sprintf("ended after %d bytes", len(whole)))
				continue
			}
			checkProblem(t, w.read(), 408, "request_timeout", "read.timeout.ms = 100")
		}
		if n := len(r.topic.all()); n != 0 {
			t.Errorf("%s: %d records were stored", how, n)
		}
	}
}

func TestBombs(t *testing.T) {
	cfg := testConfig()
	cfg.MaxInflatedBytes = 256 << 10
	cfg.ReceiveMemory = 16 << 20 // a zstd stream of unknown size asks for a window of 8 MiB
	topic := testTopic()
	topic.maxRecord = 8 << 20
	r := newRig(t, cfg, topic)
	for _, how := range packings {
		for _, tt := range []struct{ name, of, contentType string }{
			{"one value", strings.Repeat("x", 8<<20), "text/plain"},
			{"one line", strings.Repeat("x", 8<<20), "application/x-ndjson"},
			{"blank lines", strings.Repeat("\n", 8<<20), "application/x-ndjson"},
		} {
			t.Run(how+"/"+tt.name, func(t *testing.T) {
				r := r.in(t)
				bomb := packed(t, how, tt.of)
				if len(bomb) > cfg.MaxBodyBytes {
					t.Skipf("%s makes %d bytes of it, which max.body.bytes refuses", how, len(bomb))
				}
				got := r.post(recordsPath, bomb, encodingHeader(how), "Content-Type: "+tt.contentType)
				if got.status != 413 && got.status != 400 {
					t.Fatal(got)
				}
				checkProblem(t, got, 413, "body_too_large", "max.inflated.bytes = 262144")
			})
		}
	}
}

// A bomb after good lines ends the request where it exceeds the limit, and what was sent before is told.
func TestBombInTheMiddle(t *testing.T) {
	cfg := testConfig()
	cfg.MaxInflatedBytes = 1 << 20
	topic := testTopic()
	topic.batchMemory = 1
	r := newRig(t, cfg, topic)
	got := r.post(recordsPath, packed(t, "gzip", "a\nb\n"+strings.Repeat("\n", 8<<20)), ndjsonType, "Content-Encoding: gzip")
	if got.status != 207 || !strings.Contains(got.body, "after 2 records") || !strings.Contains(got.body, "max.inflated.bytes") {
		t.Error(got)
	}
}

// zstdFrame is a frame that asks for the given window and does not know its size.
func zstdFrame(t *testing.T, window int, plain string) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := zstd.NewWriter(&buf, zstd.WithWindowSize(window))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestZstdWindow(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	text := strings.Repeat("0123456789", 10000)
	checkProblem(t, r.post(recordsPath, zstdFrame(t, 16<<20, text), "Content-Encoding: zstd"), 413, "body_too_large", "8388608")
	// A later frame may not ask for more than the first, which was paid for.
	small, large := zstdFrame(t, 1<<20, text), zstdFrame(t, 4<<20, text)
	for range 2 { // also with a decoder that was used before
		checkProblem(t, r.post(recordsPath, small+large, "Content-Encoding: zstd"), 413, "body_too_large", "first frame")
		for _, body := range []string{large + small, small + small} {
			if got := r.post(recordsPath, body, "Content-Encoding: zstd"); got.status != 200 {
				t.Error(got)
			}
		}
	}
	for _, v := range r.topic.values() {
		if v != text+text {
			t.Errorf("%d bytes came out", len(v))
		}
	}
}

func TestInflatersPayForTheirMemory(t *testing.T) {
	cfg := testConfig()
	cfg.ReceiveMemory = 32 << 10
	r := newRig(t, cfg, testTopic())
	for _, how := range []string{"gzip", "deflate", "zstd", "snappy"} {
		checkProblem(t, r.post(recordsPath, packed(t, how, "v"), encodingHeader(how)), 503, "overloaded", "receive.memory = 32768")
	}
}
