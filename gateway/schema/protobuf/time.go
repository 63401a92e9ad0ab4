package protobuf

import (
	"bytes"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/gateway/schema/codec"
)

// Bounds of google.protobuf.Timestamp and Duration, in seconds: timestamp.proto and duration.proto.
const (
	minTimestamp = -62135596800
	maxTimestamp = 253402300799
	maxDuration  = 315576000000
)

func (e *encoder) timestamp(dst []byte, m *message) ([]byte, *codec.ValueError) {
	text, err := e.known(m)
	if err != nil {
		return nil, err
	}
	seconds, nanos, ok := parseTime(text)
	if !ok || seconds < minTimestamp || seconds > maxTimestamp {
		return nil, form(m, text)
	}
	return appendTime(dst, seconds, nanos), nil
}

// parseTime reads a time of RFC 3339 with at most nine digits after the point.
func parseTime(text []byte) (seconds int64, nanos int32, ok bool) {
	const shape = "0000-00-00T00:00:00"
	if len(text) < len(shape)+1 || !shaped(text[:len(shape)], shape) {
		return 0, 0, false
	}
	year, month, day := number(text[:4]), number(text[5:7]), number(text[8:10])
	hour, minute, second := number(text[11:13]), number(text[14:16]), number(text[17:19])
	if hour > 23 || minute > 59 || second > 59 {
		return 0, 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if y, m, d := t.Date(); y != year || int(m) != month || d != day {
		return 0, 0, false // there is no such day
	}
	rest := text[len(shape):]
	if rest[0] == '.' {
		n := digits(rest[1:])
		if n == 0 || n > 9 {
			return 0, 0, false
		}
		nanos, rest = fraction(rest[1:1+n]), rest[1+n:]
	}
	offset, ok := parseOffset(rest)
	return t.Unix() - offset, nanos, ok
}

// parseOffset is the distance from UTC in seconds.
func parseOffset(text []byte) (int64, bool) {
	if string(text) == "Z" {
		return 0, true
	}
	if len(text) != 6 || text[0] != '+' && text[0] != '-' || !shaped(text[1:], "00:00") {
		return 0, false
	}
	hours, minutes := number(text[1:3]), number(text[4:6])
	offset := int64(hours)*3600 + int64(minutes)*60
	if text[0] == '-' {
		offset = -offset
	}
	return offset, hours <= 23 && minutes <= 59
}

// shaped says whether a text has digits where the shape has zeros, and else the same characters.
func shaped(text []byte, shape string) bool {
	for i, c := range text {
		if shape[i] == '0' && (c < '0' || c > '9') || shape[i] != '0' && c != shape[i] {
			return false
		}
	}
	return len(text) == len(shape)
}

// number is the value of a few digits.
func number(text []byte) int {
	n := 0
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return n
}

// digits is how many digits a text begins with.
func digits(text []byte) int {
	i := 0
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

// fraction is the nanoseconds that up to nine digits after a point say.
func fraction(text []byte) int32 {
	n := int32(number(text))
	for range 9 - len(text) {
		n *= 10
	}
	return n
}

// appendTime appends the fields seconds and nanos.
func appendTime(dst []byte, seconds int64, nanos int32) []byte {
	if seconds != 0 {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 1, protowire.VarintType), uint64(seconds))
	}
	if nanos != 0 {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 2, protowire.VarintType), uint64(int64(nanos)))
	}
	return dst
}

func (e *encoder) duration(dst []byte, m *message) ([]byte, *codec.ValueError) {
	text, err := e.known(m)
	if err != nil {
		return nil, err
	}
	amount, ok := bytes.CutSuffix(text, []byte("s"))
	amount, negative := bytes.CutPrefix(amount, []byte("-"))
	whole, after, point := bytes.Cut(amount, []byte("."))
	if !ok || digits(whole) != len(whole) || digits(after) != len(after) || len(after) > 9 || len(whole) == 0 || point && len(after) == 0 {
		return nil, form(m, text)
	}
	seconds, bad := strconv.ParseInt(string(whole), 10, 64)
	if bad != nil || seconds > maxDuration || len(whole) > 1 && whole[0] == '0' {
		return nil, form(m, text)
	}
	nanos := fraction(after)
	if negative {
		seconds, nanos = -seconds, -nanos
	}
	return appendTime(dst, seconds, nanos), nil
}
