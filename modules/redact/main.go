// Package main is redact: it masks or hashes fields of JSON values.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onsend"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	x := new(redactor)
	sluice.Configure(x.configure)
	onsend.Func(x.onSend)
}
