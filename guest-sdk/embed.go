// Package guestsdk holds the sources of the SDKs, for sluice module new and for building the modules that come with Sluice.
package guestsdk

import "embed"

// Files is the folders abi, go, c, rust and assemblyscript.
//
//go:embed abi go c rust assemblyscript/*.ts assemblyscript/example
var Files embed.FS
