// Command identity is a transform that writes what it reads.
package main

import "github.com/redpanda-data/redpanda/src/transform-sdk/go/transform"

func main() {
	transform.OnRecordWritten(func(e transform.WriteEvent, w transform.RecordWriter) error {
		return w.Write(e.Record())
	})
}
