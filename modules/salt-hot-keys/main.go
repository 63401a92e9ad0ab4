// Package main is salt-hot-keys: it spreads the records of keys that are too busy for one partition over several.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onsend"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	s := new(salter)
	sluice.Configure(s.configure)
	onsend.Func(s.onSend)
}
