package main

import (
	"bytes"
	"errors"
	"strconv"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
	"sluice/guest-sdk/go/murmur2"
)

// instruction is one header named do.
type instruction struct {
	all  string
	verb string
	arg  []byte // nil without one
}

// instructions copies out what the headers say, so that a change of headers changes none of it.
func instructions(r *sluice.Record) (list []instruction) {
	for _, h := range r.Headers() {
		if h.Name == "do" {
			verb, arg := split(bytes.Clone(h.Value), ':')
			list = append(list, instruction{all: string(h.Value), verb: string(verb), arg: arg})
		}
	}
	return list
}

// split cuts b at the first c; rest is nil if there is none.
func split(b []byte, c byte) (first, rest []byte) {
	i := bytes.IndexByte(b, c)
	if i < 0 {
		return b, nil
	}
	return b[:i], append([]byte{}, b[i+1:]...)
}

func (in instruction) unknown() error { return errors.New("unknown instruction: " + in.all) }

func (in instruction) integer() (int64, bool) {
	n, err := strconv.ParseInt(string(in.arg), 10, 64)
	return n, err == nil && in.arg[0] != '+'
}

// anywhere carries out what both hooks know.
func (in instruction) anywhere() (known bool, err error) {
	switch {
	case in.verb == "trap":
		panic("trap") //nolint:forbidigo // what it is told to do
	case in.verb == "loop":
		for { //nolint:staticcheck // what it is told to do
		}
	case in.verb == "fail" && in.arg != nil:
		return true, errors.New(string(in.arg))
	}
	first, rest := split(in.arg, ':')
	switch {
	case rest == nil:
		return false, nil
	case in.verb == "log" && len(first) == 1 && first[0] >= '0' && first[0] <= '4':
		sluice.Log(sluice.Level(first[0]-'0'), string(rest))
		return true, nil
	case in.verb == "count":
		n, ok := instruction{arg: rest}.integer()
		if ok {
			sluice.CounterAdd(string(first), n)
		}
		return ok, nil
	}
	return false, nil
}

func (in instruction) plain(r *sluice.Record) bool {
	switch in.verb {
	case "noop", "mod", "partition":
	case "null-key":
		r.SetNullKey()
	case "null-value":
		r.SetNullValue()
	case "drop":
		r.Drop()
	case "now":
		r.SetValue(strconv.AppendInt(nil, sluice.NowMS(), 10))
	case "echo":
		r.SetValue(echo(r))
	default:
		return false
	}
	return true
}

func (in instruction) withArgument(r *sluice.Record) bool {
	if in.arg == nil {
		return false
	}
	switch in.verb {
	case "set-key":
		r.SetKey(in.arg)
	case "set-value":
		r.SetValue(in.arg)
	case "route":
		r.Route(string(in.arg))
	case "json":
		r.SetValue(find(r.Value(), string(in.arg)))
	case "null-header":
		r.SetHeader(string(in.arg), nil)
	case "remove-header":
		r.RemoveHeader(string(in.arg))
	case "set-header", "add-header":
		return in.header(r)
	default:
		return in.withNumber(r)
	}
	return true
}

func (in instruction) header(r *sluice.Record) bool {
	name, value := split(in.arg, '=')
	switch {
	case value == nil:
		return false
	case in.verb == "set-header":
		r.SetHeader(string(name), value)
	default:
		r.AddHeader(string(name), value)
	}
	return true
}

func (in instruction) withNumber(r *sluice.Record) bool {
	if in.verb == "cookie" {
		c, err := strconv.ParseUint(string(in.arg), 10, 64)
		if err == nil {
			r.SetCookie(c)
		}
		return err == nil
	}
	n, ok := in.integer()
	switch {
	case !ok:
		return false
	case in.verb == "set-timestamp":
		r.SetTimestamp(n)
	case in.verb == "grow":
		r.SetValue(strconv.AppendInt(nil, grow(n), 10))
	default:
		return false
	}
	return true
}

func grow(n int64) (sum int64) {
	p := make([]byte, n)
	for i := int64(0); i < n; i += 4096 {
		p[i] = 1
	}
	for i := int64(0); i < n; i += 4096 {
		sum += int64(p[i])
	}
	return sum
}

// choose is what partition knows beside what both hooks know.
func (in instruction) choose(r *sluice.Record, chosen int32) (int32, error) {
	switch in.verb {
	case "mod":
		return murmur2.Partition(r.Key(), r.Partitions()), nil
	case "partition":
		if n, ok := in.integer(); ok {
			return int32(n), nil
		}
		return chosen, in.unknown()
	case "fail", "log", "count":
		return chosen, in.unknown()
	default:
		return chosen, nil
	}
}

// find is what a JSON Pointer finds in a value.
func find(value []byte, pointer string) []byte {
	v, err := json.Parse(value)
	if err == nil {
		v = v.Lookup(pointer)
	}
	var t text
	switch v.Kind() {
	case json.Null, json.Bool:
		t.word(string(v.Raw()))
	case json.String:
		t.quoted("string:", append([]byte{}, v.Text()...))
	case json.Number:
		if n, ok := v.Int(); ok {
			t.number("int:", n)
			break
		}
		f, _ := v.Float()
		t.number("float:", int64(f*1000))
	case json.Object:
		t.number("object:", int64(v.Len()))
	case json.Array:
		t.number("array:", int64(v.Len()))
	default:
		t.word("missing")
	}
	return t
}
