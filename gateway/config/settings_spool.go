package config

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// What spool.fsync may be.
const (
	FsyncAlways   = "always"
	FsyncInterval = "interval"
)

// Spool is spool of a topic: where records with ack=queued are kept until Kafka has them.
type Spool struct {
	Dir          string        // spool.dir; "" is off
	MaxBytes     int64         // spool.max.bytes
	SegmentBytes int64         // spool.segment.bytes
	Fsync        string        // spool.fsync: always or interval
	Interval     time.Duration // spool.interval.ms
}

const (
	defaultSpoolBytes    = 1 << 30
	defaultSpoolSegment  = 64 << 20
	defaultSpoolInterval = 100 * time.Millisecond
	// spoolRecords is how many of the largest records a spool has room for at least, and a quarter of that is a segment.
	spoolRecords = 4
)

// complete are the settings with the defaults of those that are not given.
func (s Spool) complete() Spool {
	if s.Dir == "" {
		return Spool{}
	}
	if s.MaxBytes == 0 {
		s.MaxBytes = defaultSpoolBytes
	}
	if s.SegmentBytes == 0 {
		s.SegmentBytes = min(defaultSpoolSegment, s.MaxBytes/spoolRecords)
	}
	if s.Fsync == "" {
		s.Fsync = FsyncAlways
	}
	if s.Interval == 0 {
		s.Interval = defaultSpoolInterval
	}
	return s
}

// completeSpool makes the report say what is in force, if there is a spool.
func (s settings) completeSpool(spool Spool) {
	if spool.Dir == "" {
		return
	}
	all := map[string]any{"spool.max.bytes": spool.MaxBytes, "spool.segment.bytes": spool.SegmentBytes, "spool.fsync": spool.Fsync}
	if spool.Fsync == FsyncInterval {
		all["spool.interval.ms"] = spool.Interval.Milliseconds()
	}
	for name, value := range all {
		if _, ok := s.layer[name]; ok {
			continue
		}
		s.layer[name] = given{value: value}
		if name == "spool.segment.bytes" && spool.SegmentBytes < defaultSpoolSegment {
			s.derive(name, value, "a quarter of spool.max.bytes")
		}
	}
}

// SpoolError is an error about spool.dir of a table, with its place in the file.
func (c *Config) SpoolError(table, rule string) *Error {
	e := &Error{File: c.File, Key: dotted([]string{"topics", table}) + ".spool.dir", Rule: rule}
	for i := range c.topics {
		if t := &c.topics[i]; t.pattern == table {
			e.Line, e.Value = t.spool.origin.Line, t.spool.text
		}
	}
	return e
}

func spoolSettings() []Setting {
	return []Setting{
		{
			Section: "topics", Name: "spool.dir", Type: String, Support: Works,
			Doc: "A folder on disk in which records with ack=queued are kept until Kafka has them: they survive a kill of the gateway and an outage of " +
				"Kafka, and are answered 202 when they are written. Each topic has a folder of its own in it. A folder belongs to one gateway.",
			into: func(t target) any { return &t.t.Spool.Dir },
		},
		{
			Section: "topics", Name: "spool.max.bytes", Type: Bytes, Min: 1 << 20, Max: math.MaxInt64, Support: Works,
			Doc:  "How much of the disk the spool of one topic may take. When it is full, records with ack=queued are refused with 503 spool_full. 1 GiB if it is not given.",
			into: func(t target) any { return &t.t.Spool.MaxBytes },
		},
		{
			Section: "topics", Name: "spool.segment.bytes", Type: Bytes, Min: 64 << 10, Max: 1 << 30, Support: Works,
			Doc:  "How large one file of the spool gets; space is given back in such pieces. 64 MiB if it is not given, but at most a quarter of spool.max.bytes.",
			into: func(t target) any { return &t.t.Spool.SegmentBytes },
		},
		{
			Section: "topics", Name: "spool.fsync", Type: Enum, Values: []string{FsyncAlways, FsyncInterval}, Support: Works,
			Doc: "When records are forced to the disk: always (before the answer, one fsync for all that wait) or interval (every spool.interval.ms: " +
				"they survive a kill at once, a crash of the machine only then). always if it is not given.",
			into: func(t target) any { return &t.t.Spool.Fsync },
		},
		{
			Section: "topics", Name: "spool.interval.ms", Type: Millis, Min: 1, Max: maxMs, Support: Works,
			Doc:  "How often that is, with spool.fsync = \"interval\". 100 if it is not given.",
			into: func(t target) any { return &t.t.Spool.Interval },
		},
	}
}

// checkSpool refuses a spool that cannot work.
func (r *resolver) checkSpool(t *tableFile, topic *Topic) {
	table := dotted([]string{"topics", t.pattern})
	if _, ok := t.own["spool.dir"]; !ok {
		for _, name := range []string{"spool.max.bytes", "spool.segment.bytes", "spool.fsync", "spool.interval.ms"} {
			if g, ok := t.own[name]; ok {
				r.fail(table+"."+name, g, "needs spool.dir")
			}
		}
		return
	}
	s := topic.Spool.complete()
	if g := t.own["spool.dir"]; s.Dir == "" {
		r.fail(table+".spool.dir", g, "must not be empty; leave it out for no spool")
		return
	}
	if least := spoolRecords * int64(topic.Producer.MaxRequestSize); s.MaxBytes < least {
		g, given := t.own["spool.max.bytes"]
		key, rule := ".spool.max.bytes", fmt.Sprintf("must be at least %d times max.request.size = %d", spoolRecords, topic.Producer.MaxRequestSize)
		if !given {
			g, key, rule = t.own["spool.dir"], ".spool.dir", "needs a spool.max.bytes of "+strings.TrimPrefix(rule, "must be ")
		}
		r.fail(table+key, g, rule)
	}
	if g, ok := t.own["spool.segment.bytes"]; ok && s.SegmentBytes > s.MaxBytes/spoolRecords {
		r.fail(table+".spool.segment.bytes", g, fmt.Sprintf("must be at most a quarter of spool.max.bytes = %d, or there would be no room while one is being sent", s.MaxBytes))
	}
	if g, ok := t.own["spool.interval.ms"]; ok && s.Fsync != FsyncInterval {
		r.fail(table+".spool.interval.ms", g, "needs spool.fsync = \"interval\"")
	}
	if topic.Producer.Acks == 0 {
		r.fail(table+".spool.dir", t.own["spool.dir"], "needs producer.acks of 1 or all: with acks = 0 nobody knows when a record may leave the spool")
	}
}
