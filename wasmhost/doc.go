// Package wasmhost runs modules that strangers wrote: bytes in, bytes out. It knows no Kafka, HTTP or TOML.
//
// A [Host] compiles uploaded bytes to a [Module] and, for everything a module is bound to, configures a [Guest]: a pool
// of instances with the same configuration. [Guest.OnSend], [Guest.Partition] and [Guest.OnAck] take a [Batch] through
// one guest call and leave a verdict with each record; they cannot fail as a whole. What a guest may do to the process is
// bounded four times: the module is checked before it is compiled (package meter), it is compiled in a child process
// (package compile), its instructions are counted by code that meter puts into it, and a watchdog ends calls that take
// too long. An instance that failed is never used again.
//
// The contract with guests is package sluice/guest-sdk/abi.
package wasmhost
