package main

import (
	"strconv"

	sluice "sluice/guest-sdk/go"
)

// tracer adds headers to records. A header whose name is "" is turned off.
type tracer struct {
	sendTimestamp, traceparent string // names of headers

	fixed     []sluice.Header // the same for every record
	flags     byte            // of a new trace context
	overwrite bool            // take the place of what the sender set
}

func (t *tracer) configure(c *sluice.Config) error {
	c.Only("source", "schema_version", "overwrite", "sampled", "names")
	t.overwrite = c.Bool("/overwrite", false)
	t.flags = '0'
	if c.Bool("/sampled", true) {
		t.flags = '1'
	}
	t.sendTimestamp = c.String("/names/send_timestamp", "send-timestamp")
	t.traceparent = c.String("/names/traceparent", "traceparent")
	t.fixed = nil
	t.addFixed(c.String("/names/producer_host", "producer-host"), c.Host())
	t.addFixed(c.String("/names/source", "source"), c.String("/source", ""))
	t.addFixed(c.String("/names/schema_version", "schema-version"), c.String("/schema_version", ""))
	return c.OnlyIn("/names", "send_timestamp", "producer_host", "source", "schema_version", "traceparent")
}

func (t *tracer) addFixed(name, value string) {
	if name != "" && value != "" {
		t.fixed = append(t.fixed, sluice.Header{Name: name, Value: []byte(value)})
	}
}

func (t *tracer) onSend(r *sluice.Record) error {
	if t.sendTimestamp != "" {
		const digits = len("-9223372036854775808")
		t.set(r, t.sendTimestamp, strconv.AppendInt(r.Alloc(digits)[:0], sluice.NowMS(), 10))
	}
	for i := range t.fixed {
		t.set(r, t.fixed[i].Name, t.fixed[i].Value)
	}
	if t.traceparent != "" {
		t.trace(r)
	}
	return nil
}

// set adds a header if it is not there, or in any case with overwrite.
func (t *tracer) set(r *sluice.Record, name string, value []byte) {
	switch _, there := r.Header(name); {
	case !there:
		r.AddHeader(name, value)
	case t.overwrite:
		r.SetHeader(name, value)
	}
}
