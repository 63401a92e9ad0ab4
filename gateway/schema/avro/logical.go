package avro

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// Layouts of what stands in JSON. Fractions are as long as they need to be.
const (
	layoutDate      = "2006-01-02"
	layoutTime      = "15:04:05.999999999"
	layoutTimestamp = time.RFC3339Nano
	layoutLocal     = "2006-01-02T15:04:05.999999999"
)

const day = 24 * time.Hour

// inDay says whether v is a time of day, if l is one.
func inDay(l logical, v int64) bool {
	switch l {
	case logicalTimeMillis, logicalTimeMicros:
		return v >= 0 && v < int64(day)/l.unit()
	default:
		return true
	}
}

// moment writes a date, time or timestamp that is a string.
func (e *encoder) moment(dst []byte, n *node) ([]byte, *codec.ValueError) {
	at := e.Mark()
	text, err := e.Text()
	if err != nil {
		return dst, err
	}
	v, ok := parseMoment(n.logical, string(text))
	if !ok {
		return dst, e.found(n.word+momentForm(n.logical), at)
	}
	return appendLong(dst, v), nil
}

func momentForm(l logical) string {
	const fraction = `, at most as precise as the type`
	switch l {
	case logicalDate:
		return `: days since 1970, or a string as "2006-01-02"`
	case logicalTimeMillis, logicalTimeMicros:
		return `: a number, or a string as "15:04:05.999"` + fraction
	case logicalLocalMillis, logicalLocalMicros, logicalLocalNanos:
		return `: a number, or a string as "2006-01-02T15:04:05.999"` + fraction
	default:
		return `: a number, or a string of RFC 3339 as "2006-01-02T15:04:05.999Z"` + fraction
	}
}

// layout is the form of a moment in JSON.
func (l logical) layout() string {
	switch l {
	case logicalDate:
		return layoutDate
	case logicalTimeMillis, logicalTimeMicros:
		return layoutTime
	case logicalLocalMillis, logicalLocalMicros, logicalLocalNanos:
		return layoutLocal
	default:
		return layoutTimestamp
	}
}

// parseMoment is false if s has not the form of the logical type, or is more precise or further away than it can be.
func parseMoment(l logical, s string) (int64, bool) {
	if i := strings.IndexByte(s, '.'); strings.Contains(s, ",") || i >= 0 && digitsFrom(s[i+1:]) > 9 {
		return 0, false // package time takes a comma for a point, and cuts digits off
	}
	t, err := time.Parse(l.layout(), s)
	if err != nil {
		return 0, false
	}
	switch l {
	case logicalDate:
		return t.Unix() / int64(day/time.Second), true
	case logicalTimeMillis, logicalTimeMicros:
		since := int64((t.Hour()*60+t.Minute())*60+t.Second())*int64(time.Second) + int64(t.Nanosecond())
		return since / l.unit(), since%l.unit() == 0
	default:
		return fromTime(t, l.unit())
	}
}

func digitsFrom(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

// fromTime counts units since 1970; it is false if t is between two, or too far away.
func fromTime(t time.Time, unit int64) (int64, bool) {
	perSecond := int64(time.Second) / unit
	sec, part := t.Unix(), int64(t.Nanosecond())
	if sec < 0 && part > 0 { // of the second after, so that the product stays within range
		sec, part = sec+1, part-int64(time.Second)
	}
	if sec > math.MaxInt64/perSecond || sec < math.MinInt64/perSecond {
		return 0, false
	}
	v := sec * perSecond
	if part > 0 && v > math.MaxInt64-part/unit || part < 0 && v < math.MinInt64-part/unit {
		return 0, false
	}
	return v + part/unit, part%unit == 0
}

// toTime is the time that v units after 1970 are.
func toTime(v, unit int64) time.Time {
	perSecond := int64(time.Second) / unit
	sec, part := v/perSecond, v%perSecond
	return time.Unix(sec, part*unit).UTC() // a negative part is one of the second before
}

// appendMoment writes a date, time or timestamp as JSON: as text if it is of a year that has four digits, else as the number.
func appendMoment(dst []byte, l logical, v int64) []byte {
	t := time.Unix(v*int64(day/time.Second), 0).UTC()
	switch {
	case l == logicalDate:
	case !inDay(l, v):
		return strconv.AppendInt(dst, v, 10)
	default:
		t = toTime(v, l.unit())
	}
	if y := t.Year(); y < 0 || y > 9999 {
		return strconv.AppendInt(dst, v, 10)
	}
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, l.layout())
	return append(dst, '"')
}

// appendLogical writes a decimal, uuid or duration that is a string.
func appendLogical(dst []byte, n *node, s []byte) ([]byte, bool) {
	switch n.logical {
	case logicalDecimal:
		if jsontext.IsNumber(s) {
			return appendDecimal(dst, n, s)
		}
	case logicalUUID:
		if id, ok := parseUUID(string(s)); ok && n.kind == kindFixed {
			return append(dst, id[:]...), true
		} else if ok {
			return append(appendLong(dst, int64(len(s))), s...), true
		}
	case logicalDuration:
		if d, ok := parseDuration(string(s)); ok {
			for _, part := range d {
				dst = binary.LittleEndian.AppendUint32(dst, part)
			}
			return dst, true
		}
	default: // moments are numbers
	}
	return dst, false
}

// parseUUID reads the form of RFC 9562: 8, 4, 4, 4 and 12 hexadecimal digits.
func parseUUID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	digits := strings.ReplaceAll(s, "-", "")
	if len(digits) != 2*len(id) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(digits))
	return id, err == nil
}

func appendUUID(dst, id []byte) []byte {
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, []byte{c})
	}
	return dst
}

// duration is months, days and milliseconds.
type duration [3]uint32

// parseDuration reads ISO 8601, P1Y2M3W4DT5H6M7.008S: years are twelve months, weeks seven days.
func parseDuration(s string) (d duration, ok bool) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return d, false
	}
	date, clock, hasClock := strings.Cut(rest, "T")
	var sum [3]uint64
	ok = addParts(&sum, date, "YMWD", map[byte]durationPart{'Y': {0, 12}, 'M': {0, 1}, 'W': {1, 7}, 'D': {1, 1}})
	if hasClock {
		ok = ok && clock != "" && addParts(&sum, clock, "HMS", map[byte]durationPart{'H': {2, 3_600_000}, 'M': {2, 60_000}, 'S': {2, 1000}})
	}
	for i, v := range sum {
		if v > math.MaxUint32 {
			return d, false
		}
		d[i] = uint32(v)
	}
	return d, ok
}

type durationPart struct {
	at     int
	factor uint64
}

// addParts reads numbers with their units, each of which may stand there once, in the order of units.
func addParts(sum *[3]uint64, s, units string, parts map[byte]durationPart) bool {
	for s != "" {
		n := digitsFrom(s)
		if n == 0 || n > 10 || n == len(s) {
			return false
		}
		v, _ := strconv.ParseUint(s[:n], 10, 64) // digits, and few
		s = s[n:]
		millis := uint64(0)
		if s[0] == '.' {
			f := digitsFrom(s[1:])
			if f == 0 || f > 3 || 1+f == len(s) || s[1+f] != 'S' {
				return false
			}
			millis, _ = strconv.ParseUint((s[1:1+f] + "00")[:3], 10, 64)
			s = s[1+f:]
		}
		at := strings.IndexByte(units, s[0])
		if at < 0 {
			return false
		}
		p := parts[s[0]]
		sum[p.at] += v*p.factor + millis
		units, s = units[at+1:], s[1:]
	}
	return true
}

// String is the duration in ISO 8601.
func (d duration) String() string {
	out := "P"
	if d[0] > 0 {
		out += strconv.FormatUint(uint64(d[0]), 10) + "M"
	}
	if d[1] > 0 {
		out += strconv.FormatUint(uint64(d[1]), 10) + "D"
	}
	if d[2] > 0 {
		sec := strconv.FormatUint(uint64(d[2]/1000), 10)
		if part := d[2] % 1000; part > 0 {
			sec += "." + strings.TrimRight(strconv.Itoa(int(part) + 1000)[1:], "0")
		}
		return out + "T" + sec + "S"
	}
	if out == "P" {
		return "PT0S"
	}
	return out
}
