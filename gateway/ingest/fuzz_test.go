package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/gateway/record"
)

// pieces returns a stream in pieces whose sizes the fuzzer chooses.
type pieces struct {
	rest  []byte
	sizes []byte
	i     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := 1
	if len(p.sizes) > 0 {
		n = 1 + int(p.sizes[p.i%len(p.sizes)])
		p.i++
	}
	n = copy(b, p.rest[:min(n, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

type cutLine struct {
	text    string
	tooLong bool
	number  int
}

// linesOf is what the reader of lines must return, the simple way.
func linesOf(body string, longest int) []cutLine {
	var want []cutLine
	parts := strings.Split(body, "\n")
	for i, line := range parts {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case len(line) > longest:
			want = append(want, cutLine{"", true, i + 1})
		case strings.Trim(line, " \t\r") != "":
			want = append(want, cutLine{line, false, i + 1})
		}
	}
	return want
}

func readLinesOf(t *testing.T, src io.Reader, size, longest int) []cutLine {
	t.Helper()
	mem := scratch{pool: new(record.Pool), budget: &budget{limit: 1 << 40}}
	var l lineReader
	l.open(src, size, &mem, longest)
	var got []cutLine
	for {
		line, tooLong, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if tooLong {
			line = nil
		}
		got = append(got, cutLine{string(line), tooLong, l.number})
	}
	mem.free()
	if used := mem.budget.used.Load(); used != 0 {
		t.Fatalf("%d bytes stay charged", used)
	}
	return got
}

func FuzzLines(f *testing.F) {
	f.Add("a\nb\r\n\n \r\nlong line\n\r", []byte{0}, 8)
	f.Add("\r\n\r\n", []byte{1, 2}, 1)
	f.Add(strings.Repeat("x", 70000)+"\ny\n"+strings.Repeat("z", 40000), []byte{255, 3}, 50000)
	f.Fuzz(func(t *testing.T, body string, sizes []byte, longest int) {
		longest = 1 + max(longest, 0)%70000
		want := linesOf(body, longest)
		for _, size := range []int{-1, len(body)} {
			got := readLinesOf(t, &pieces{rest: []byte(body), sizes: sizes}, size, longest)
			if len(got) != len(want) {
				t.Fatalf("%d lines, want %d: %.100q", len(got), len(want), body)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("line %d: %.100q, want %.100q", i, got[i].text, want[i].text)
				}
			}
		}
	})
}

// Every place at which a stream can be cut gives the same lines.
func TestLinesAtEveryChunkBoundary(t *testing.T) {
	body := "first\r\n\n  \t\nsecond\n\rthird\r\r\nfar too long a line\r\nlast"
	for longest := 1; longest < 20; longest++ {
		want := linesOf(body, longest)
		for cut := 1; cut < len(body); cut++ {
			src := io.MultiReader(strings.NewReader(body[:cut]), strings.NewReader(body[cut:]))
			got := readLinesOf(t, src, -1, longest)
			if len(got) != len(want) {
				t.Fatalf("cut at %d, longest %d: %v, want %v", cut, longest, got, want)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("cut at %d, longest %d: %v, want %v", cut, longest, got[i], want[i])
				}
			}
		}
	}
}

func decodeLine(line []byte) (*record.Batch, *record.Error) {
	cfg := testConfig()
	s := &Server{cfg: cfg, pool: new(record.Pool)}
	r := newRequest(s)
	r.batch = s.pool.Batch()
	r.params.reset()
	rec := r.batch.Add("t")
	return r.batch, r.decodeEnvelope(rec, line)
}

// FuzzEnvelope holds our decoder to encoding/json: it takes nothing that is not JSON, and reads strings the same way.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{
		`{"value":1}`, `{"key":"k","value":"a\u00e9\ud83d\ude00","headers":{"a":["b",null]}}`,
		`{"headers":[{"name":"a","value_base64":"AA=="}],"partition":1,"timestamp":"2023-11-14T22:13:20Z","value_base64":"AP8"}`,
		`{"key":{ "a" : [1 , -2.5e3, true,false,null] },"value":{"deep":[[[{}]]]}}`, `{"value":"` + strings.Repeat("x", 40) + `\""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		b, failed := decodeLine(line)
		defer b.Free()
		if failed != nil {
			if failed.Code != record.Invalid && failed.Code != record.HeadersTooLarge || !strings.HasPrefix(failed.Message, "line ") {
				t.Fatalf("error %v %q", failed.Code, failed.Message)
			}
			return
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(line, &m); err != nil || !utf8.Valid(line) {
			t.Fatalf("taken, and it is no JSON: %v", err)
		}
		rec := &b.Records[0]
		checkMember(t, m, "value", rec.Value, false)
		checkMember(t, m, "key", rec.Key, true)
	})
}

func checkMember(t *testing.T, m map[string]json.RawMessage, name string, got []byte, compacted bool) {
	t.Helper()
	raw, ok := m[name]
	if !ok {
		return
	}
	switch {
	case string(raw) == "null":
		if got != nil {
			t.Fatalf("null %s is %q", name, got)
		}
	case raw[0] == '"':
		var want string
		if err := json.Unmarshal(raw, &want); err != nil || want != string(got) || got == nil {
			t.Fatalf("%s is %q, want %q", name, got, want)
		}
	case compacted:
		var want bytes.Buffer
		if err := json.Compact(&want, raw); err != nil || want.String() != string(got) {
			t.Fatalf("%s is %q, want %q", name, got, want.String())
		}
	default:
		if string(raw) != string(got) {
			t.Fatalf("%s is %q, want %q", name, got, raw)
		}
	}
}

// FuzzScanner holds the scanner to encoding/json in both directions: same texts accepted, same texts refused.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,"x\n\u0041",true,false,null,{}]}`, `[`, `"\ud800"`, ` 1 `, `01`, `-0`, `{"a" :1 , "b":[ ]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return
		}
		s := scanner{b: text, line: 1}
		_, err := s.value()
		if err == nil {
			err = s.end()
		}
		if err != nil && strings.Contains(err.Message, "nested more than") {
			return
		}
		if want := json.Valid(text); want != (err == nil) {
			t.Fatalf("%q: valid is %v, and we say %v", text, want, err)
		}
	})
}

func FuzzString(f *testing.F) {
	f.Add("a\"b\\c\n\x00é😀\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); utf8.ValidString(s) && got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

// FuzzInflate looks for bodies that make a decoder exceed its limits, hang or panic.
func FuzzInflate(f *testing.F) {
	for _, how := range packings {
		f.Add(byte(encodingOfHeader(f, how)), []byte(packed(f, how, strings.Repeat("hello, world\n", 50))))
	}
	f.Fuzz(func(t *testing.T, e byte, data []byte) {
		cfg := testConfig()
		cfg.MaxInflatedBytes = 64 << 10
		s := &Server{cfg: cfg, pool: new(record.Pool), receive: budget{limit: 64 << 20}}
		r := newRequest(s)
		r.params.encoding = encoding(1 + e%byte(numEncodings-1))
		r.body = body{stream: &pieces{rest: data, sizes: []byte{7, 200}}, length: len(data), cfg: &s.cfg, ended: len(data) == 0}
		if err := r.inf.open(r); err == nil {
			n, err := io.Copy(io.Discard, struct{ io.Reader }{&r.inf})
			if n > int64(cfg.MaxInflatedBytes) {
				t.Fatalf("%d bytes came out", n)
			}
			if err != nil && asError(err).Code == record.Internal {
				t.Fatal(err)
			}
		}
		r.inf.close()
		if used := s.receive.used.Load(); used != 0 {
			t.Fatalf("%d bytes of receive.memory stay charged", used)
		}
	})
}

func encodingOfHeader(t testing.TB, how string) encoding {
	t.Helper()
	e, err := encodingOf([]byte(strings.TrimPrefix(encodingHeader(how), "Content-Encoding: ")))
	if err != nil {
		t.Fatal(err)
	}
	return e - 1
}
