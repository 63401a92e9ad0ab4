// Package main is trace-headers: an interceptor that adds to every record where and when it was sent, and a W3C trace
// context if it has none.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onsend"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	t := new(tracer)
	sluice.Configure(t.configure)
	onsend.Func(t.onSend)
}
