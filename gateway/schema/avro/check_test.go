package avro

import (
	"errors"
	"strings"
	"testing"

	"sluice/gateway/schema/codec"
)

// TestCheckTakesWhatIsWritten holds that all that Encode writes is taken, and none of it with the end cut off or more behind it.
func TestCheckTakesWhatIsWritten(t *testing.T) {
	for _, s := range allCases() {
		c := mustCompile(t, s.schema, codec.Options{})
		for _, g := range s.good {
			data, err := c.Encode(nil, []byte(g.in))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(data); err != nil {
				t.Errorf("%s %s: %v", s.name, g.in, err)
			}
			for n := range data {
				if c.Check(data[:n]) == nil {
					t.Errorf("%s %s: %x of %x is taken", s.name, g.in, data[:n], data)
				}
			}
			if c.Check(append(data, 0)) == nil {
				t.Errorf("%s %s: %x and a zero byte is taken", s.name, g.in, data)
			}
		}
	}
}

// TestCheckIsBounded holds that a few bytes cannot keep it busy: an array of nulls has no bytes.
func TestCheckIsBounded(t *testing.T) {
	c := mustCompile(t, `{"type":"array","items":"null"}`, codec.Options{})
	err := c.Check([]byte("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"))
	if err == nil || !strings.Contains(err.Error(), "too many that have none") {
		t.Errorf("%v", err)
	}
	if err := c.Check([]byte("\x04\x00")); err != nil {
		t.Errorf("two nulls: %v", err)
	}
	c = mustCompile(t, `{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}`, codec.Options{MaxDepth: 10})
	if err := c.Check([]byte(strings.Repeat("\x02", 100) + "\x00")); err == nil || !strings.Contains(err.Error(), "schema.max.depth") {
		t.Errorf("%v", err)
	}
}

// FuzzCheck holds that Check takes what Decode takes, and refuses what it refuses at the same place.
func FuzzCheck(f *testing.F) {
	schemas := fuzzSchemas()
	var codecs []*Codec
	for i, s := range schemas {
		codecs = append(codecs, mustCompile(f, s, codec.Options{MaxBytes: 1 << 20}))
		f.Add(i, []byte("\x02\x04\x06\x00"))
		if i < len(allCases()) {
			for _, g := range allCases()[i].good {
				data, err := codecs[i].Encode(nil, []byte(g.in))
				if err != nil {
					f.Fatal(err)
				}
				f.Add(i, data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		if which < 0 {
			return
		}
		c := codecs[which%len(codecs)]
		err := c.Check(data)
		_, other := c.Decode(nil, data)
		if err == nil && other == nil {
			return
		}
		if err == nil {
			if !strings.Contains(other.Error(), "larger than allowed") {
				t.Fatalf("%x is taken, and cannot be read: %v", data, other)
			}
			return
		}
		wantValueError(t, err)
		e, _ := errors.AsType[*codec.ValueError](err)
		if strings.Contains(e.Found, "too many") {
			return
		}
		if other == nil || other.Error() != err.Error() && !strings.Contains(other.Error(), "larger than allowed") {
			t.Fatalf("%x: %v, and Decode says %v", data, err, other)
		}
	})
}
