// Package main is schema-guard: it fails records whose JSON value lacks a field, has one of a wrong type, or is too large.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onsend"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	g := new(guard)
	sluice.Configure(g.configure)
	onsend.Func(g.onSend)
}
