// Package main is ack-audit: it counts what came of records and how long that took, and logs a summary now and then.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onack"
	"sluice/guest-sdk/go/onsend"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	a := new(auditor)
	sluice.Configure(a.configure)
	onsend.Func(a.onSend)
	onack.Func(a.onAck)
}
