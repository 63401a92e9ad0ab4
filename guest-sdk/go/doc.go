// Package sluice is what a module for Sluice is written with: a partitioner or an interceptor for records on their way to
// Kafka. A module is a Go program whose main does nothing and whose init says what is to be called:
//
//	package main
//
//	import (
//		sluice "sluice/guest-sdk/go"
//		"sluice/guest-sdk/go/onsend"
//	)
//
//	func main() {}
//
//	func init() {
//		onsend.Func(func(r *sluice.Record) error {
//			r.SetHeader("source", []byte("web"))
//			return nil
//		})
//	}
//
// What a module is shows in what it exports, and it exports a hook when it imports the hook's package: onsend, onack or
// partition. It is built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags="-s -w" -o module.wasm .
//
// # What holds for every hook
//
// A hook sees one record at a time. There is one thread: nothing that a hook starts with go may outlive the call.
//
// Keys, values, headers and names that a [Record] or an [Ack] hands out are views of the host's input. They are valid
// during the call and cost nothing; what is to be kept must be copied. What is set is copied, unless it already stands in
// the input or in what [Record.Alloc] returned, so that a buffer may be used again for the next record.
//
// A panic fails the record that was worked on, with its message as the reason, and the module goes on with the next one.
// What Go cannot recover from (no more memory, a stack that grew without end, os.Exit) ends the instance; the host
// finds the record and lets it fail alone.
//
// An instance sees a part of the records, and it may be given up at any time. State in its variables is good for caches
// and for counting, not for decisions that must be right.
package sluice
