package main

import (
	"strconv"
	"strings"

	sluice "sluice/guest-sdk/go"
)

// text is a line in the notation of CONFORMANCE.md.
type text []byte

func (t *text) word(s string) { *t = append(*t, s...) }

func (t *text) number(name string, n int64) { *t = strconv.AppendInt(append(*t, name...), n, 10) }

func (t *text) unsigned(name string, n uint64) { *t = strconv.AppendUint(append(*t, name...), n, 10) }

func (t *text) quoted(name string, b []byte) {
	const digits = "0123456789abcdef"
	t.word(name)
	if b == nil {
		t.word("null")
		return
	}
	t.word(`"`)
	for _, c := range b {
		if c >= 0x20 && c <= 0x7e && c != '"' && c != '\\' {
			*t = append(*t, c)
			continue
		}
		*t = append(*t, '\\', 'x', digits[c>>4], digits[c&15])
	}
	t.word(`"`)
}

func (t *text) list(words []string) {
	t.word("[")
	for i, w := range words {
		if i > 0 {
			t.word(",")
		}
		t.quoted("", []byte(w))
	}
	t.word("]")
}

// echo is all there is to know of a record.
func echo(r *sluice.Record) []byte {
	var t text
	t.number("index=", int64(r.Index()))
	t.quoted(" topic=", []byte(r.Topic()))
	t.number(" partitions=", int64(r.Partitions()))
	t.number(" partition=", int64(r.Partition()))
	t.number(" timestamp=", r.Timestamp())
	t.unsigned(" cookie=", r.Cookie())
	t.quoted(" key=", r.Key())
	t.quoted(" value=", r.Value())
	t.word(" headers=[")
	for i, h := range r.Headers() {
		if i > 0 {
			t.word(",")
		}
		t.quoted("", []byte(h.Name))
		t.quoted("=", h.Value)
	}
	t.word("]")
	return t
}

// read logs what one lookup in the config gives; entry is its type and a JSON Pointer.
func read(c *sluice.Config, entry string) {
	typ, pointer, _ := strings.Cut(entry, ":")
	var t text
	t.word("read " + entry + " = ")
	switch typ {
	case "string":
		t.quoted("", []byte(c.String(pointer, "fallback")))
	case "int":
		t.number("", c.Int(pointer, -7))
	case "float":
		t.number("", int64(c.Float(pointer, 0.5)*1000))
	case "bool":
		t.word(strconv.FormatBool(c.Bool(pointer, false)))
	case "has":
		t.word(strconv.FormatBool(c.Has(pointer)))
	case "strings":
		t.list(c.Strings(pointer))
	case "keys":
		t.list(c.Keys(pointer))
	}
	sluice.Info(string(t))
}
