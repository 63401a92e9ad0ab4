// Package main is MODULE_NAME, an interceptor: it says in the header "source" where a record comes from, and refuses what
// has no value.
package main

import (
	"errors"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onsend"
)

func main() {} // is never called: init says what is

func init() { //nolint:gochecknoinits // see main
	s := new(stamp)
	sluice.Configure(s.configure)
	onsend.Func(s.onSend)
}

type stamp struct {
	source []byte
}

func (s *stamp) configure(c *sluice.Config) error {
	c.Only("source")
	s.source = []byte(c.String("/source", "unknown"))
	return nil
}

func (s *stamp) onSend(r *sluice.Record) error {
	if r.Value() == nil {
		return errors.New("a record must have a value")
	}
	r.SetHeader("source", s.source)
	sluice.CounterAdd("stamped", 1)
	return nil
}
