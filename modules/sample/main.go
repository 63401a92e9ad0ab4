// Package main is sample: it keeps a part of the records, the same keys always, and drops the others.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onsend"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	s := new(sampler)
	sluice.Configure(s.configure)
	onsend.Func(s.onSend)
}
