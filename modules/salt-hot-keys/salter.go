package main

import (
	"strconv"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
	"sluice/guest-sdk/go/murmur2"
)

// salter gives records of hot keys one of n keys each.
type salter struct {
	n         uint32
	separator string
	header    string // gets the key as it was; "" = none
	by        string // JSON Pointer to what chooses the salt; "" = round robin

	fixed    map[string]*turn // keys that are always hot
	detector detector
	doc      json.Doc
}

// turn is the salt that the next record of a key gets.
type turn struct{ next uint32 }

func (s *salter) onSend(r *sluice.Record) error {
	key := r.Key()
	if key == nil {
		return nil
	}
	t := s.fixed[string(key)]
	if t == nil {
		t = s.detector.see(key)
	}
	if t == nil {
		return nil
	}
	s.salt(r, key, t)
	return nil
}

func (s *salter) salt(r *sluice.Record, key []byte, t *turn) {
	const digits = len("4294967295")
	salted := append(r.Alloc(len(key) + len(s.separator) + digits)[:0], key...)
	salted = append(salted, s.separator...)
	salted = strconv.AppendUint(salted, uint64(s.choose(r, t)), 10)
	if s.header != "" {
		r.SetHeader(s.header, key)
	}
	r.SetKey(salted)
	sluice.CounterAdd("salted", 1)
}

// choose is the salt of a record: by the field if it has it, otherwise the key's next one.
func (s *salter) choose(r *sluice.Record, t *turn) uint32 {
	if s.by != "" {
		if v, err := s.doc.Parse(r.Value()); err == nil {
			if f := v.Lookup(s.by); f.Kind() > json.Null {
				return uint32(murmur2.Sum(f.Raw())) % s.n
			}
		}
	}
	now := t.next
	t.next = (now + 1) % s.n
	return now
}
