// Package main is json-field-key: a record's key becomes a field of its JSON value.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onsend"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	k := new(keyer)
	sluice.Configure(k.configure)
	onsend.Func(k.onSend)
}
