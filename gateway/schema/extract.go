package schema

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// extractor takes keys, headers and timestamps out of values.
type extractor struct {
	key, timestamp *place
	headers        []place
	json           jsonChecker
	quote          bool // what does not fit, in errors
}

// place is where something stands in a value.
type place struct {
	name    string // of a header
	pointer string
	tokens  []string
}

// newExtractor is nil if there is nothing to take out.
func newExtractor(cfg *config.Topic, s *config.Schema) *extractor {
	if cfg.KeyFrom == nil && cfg.TimestampFrom == nil && len(cfg.HeadersFrom) == 0 {
		return nil
	}
	x := &extractor{key: newPlace(cfg.KeyFrom), timestamp: newPlace(cfg.TimestampFrom), json: jsonChecker{depth: s.MaxJSONDepth}, quote: s.QuoteValues}
	for i := range cfg.HeadersFrom {
		x.headers = append(x.headers, *newPlace(&cfg.HeadersFrom[i]))
	}
	return x
}

func newPlace(f *config.From) *place {
	if f == nil {
		return nil
	}
	p := &place{name: f.Name, pointer: f.Pointer}
	if f.Pointer != "" {
		p.tokens = strings.Split(f.Pointer[1:], "/")
	}
	for i, token := range p.tokens {
		p.tokens[i], _ = codec.Unescape(token) // the configuration is valid
	}
	return p
}

// extract changes r, whose bytes are in b.
func (x *extractor) extract(b *record.Batch, r *record.Record) *record.Error {
	if r.Value == nil {
		return nil
	}
	if err := x.json.check(r.Value); err != nil {
		return x.mismatch(err)
	}
	if x.timestamp != nil && r.Timestamp == record.NoTimestamp {
		if err := x.setTimestamp(r); err != nil {
			return err
		}
	}
	if x.key != nil && r.Key == nil {
		r.Key = x.key.bytes(b, r.Value)
	}
	x.setHeaders(b, r)
	return nil
}

func (x *extractor) setTimestamp(r *record.Record) *record.Error {
	raw := lookup(r.Value, x.timestamp.tokens)
	if raw == nil || raw[0] == 'n' {
		return nil
	}
	if raw[0] == '"' {
		if t, err := time.Parse(time.RFC3339Nano, string(raw[1:len(raw)-1])); err == nil && t.UnixMilli() >= 0 {
			r.Timestamp = t.UnixMilli()
			return nil
		}
	} else if ms, err := strconv.ParseInt(string(raw), 10, 64); err == nil && ms >= 0 {
		r.Timestamp = ms
		return nil
	}
	return x.mismatch(&codec.ValueError{
		Path: x.timestamp.pointer, Want: "a timestamp (timestamp.from): milliseconds since 1970, or a string of RFC 3339", Found: brief(raw), Kind: "another",
	})
}

func (x *extractor) mismatch(err error) *record.Error {
	return mismatch(record.Mismatch{Part: Value}, err, x.quote)
}

// brief is a value as an error shows it.
func brief(raw []byte) string {
	const most = 40
	if len(raw) > most {
		return string(bytes.ToValidUTF8(raw[:most], nil)) + "…"
	}
	return string(raw)
}

func (x *extractor) setHeaders(b *record.Batch, r *record.Record) {
	for i := range x.headers {
		p := &x.headers[i]
		if hasHeader(r.Headers, p.name) {
			continue
		}
		value := p.bytes(b, r.Value)
		if value == nil {
			continue
		}
		all := b.NewHeaders(len(r.Headers) + 1)
		copy(all, r.Headers)
		all[len(r.Headers)] = record.Header{Key: p.name, Value: value}
		r.Headers = all
	}
}

func hasHeader(all []record.Header, name string) bool {
	for i := range all {
		if all[i].Key == name {
			return true
		}
	}
	return false
}

// bytes is what stands at the place, in the memory of b: the text of a string, else JSON. nil if nothing does, or null.
func (p *place) bytes(b *record.Batch, value []byte) []byte {
	raw := lookup(value, p.tokens)
	switch {
	case raw == nil || raw[0] == 'n':
		return nil
	case raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0:
		return b.Copy(raw[1 : len(raw)-1])
	case raw[0] == '"':
		var text string
		_ = json.Unmarshal(raw, &text) // it was checked
		return b.Copy([]byte(text))
	}
	return compact(b.Alloc(len(raw))[:0], raw)
}

// jsonChecker says what is no JSON.
type jsonChecker struct {
	depth    int // how deep it may be nested
	scanners sync.Pool
}

func (c *jsonChecker) check(value []byte) *codec.ValueError {
	s, ok := c.scanners.Get().(*jsontext.Scanner)
	if !ok {
		s = &jsontext.Scanner{DepthLimit: "schema.json.max.depth"}
	}
	defer c.scanners.Put(s)
	s.Reset(value, c.depth)
	_, err := s.Skip()
	if err == nil {
		err = s.End()
	}
	s.Reset(nil, 0) // who sent the value gets it back
	return err
}

// compact appends valid JSON without the white space between tokens.
func compact(dst, src []byte) []byte {
	inString := false
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case inString && c == '\\':
			dst = append(dst, c, src[i+1])
			i++
			continue
		case c == '"':
			inString = !inString
		case !inString && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// lookup finds what a JSON Pointer leads to in valid JSON; nil if there is nothing. Of members that are given twice the last
// counts, as with most readers.
func lookup(doc []byte, tokens []string) []byte {
	doc = bytes.TrimSpace(doc)
	for _, token := range tokens {
		w := walker{src: doc}
		switch doc[0] {
		case '{':
			doc = w.member(token)
		case '[':
			doc = w.item(token)
		default:
			return nil
		}
		if doc == nil {
			return nil
		}
	}
	return doc
}

// walker goes through valid JSON.
type walker struct {
	src []byte
	pos int
}

func (w *walker) space() byte {
	for {
		switch c := w.src[w.pos]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			w.pos++
		default:
			return c
		}
	}
}

// value goes over a value and returns it.
func (w *walker) value() []byte {
	start := w.pos
	switch w.src[w.pos] {
	case '"':
		w.str()
	case '{', '[':
		depth := 0
		for {
			switch w.src[w.pos] {
			case '"':
				w.str()
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			w.pos++
			if depth == 0 {
				return w.src[start:w.pos]
			}
		}
	default:
		for w.pos < len(w.src) && !bytes.ContainsRune([]byte(" \t\r\n,]}"), rune(w.src[w.pos])) {
			w.pos++
		}
	}
	return w.src[start:w.pos]
}

func (w *walker) str() {
	for w.pos++; w.src[w.pos] != '"'; w.pos++ {
		if w.src[w.pos] == '\\' {
			w.pos++
		}
	}
	w.pos++
}

func (w *walker) member(name string) (found []byte) {
	for w.pos = 1; w.space() != '}'; {
		raw := w.value()
		w.space()
		value := w.value()
		if isName(raw, name) {
			found = value
		}
	}
	return found
}

func isName(raw []byte, name string) bool {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == name
	}
	var text string
	return json.Unmarshal(raw, &text) == nil && text == name
}

func (w *walker) item(token string) []byte {
	n, err := strconv.Atoi(token)
	if err != nil || n < 0 || strconv.Itoa(n) != token {
		return nil
	}
	for w.pos = 1; w.space() != ']'; n-- {
		if v := w.value(); n == 0 {
			return v
		}
	}
	return nil
}
