// Command deeds is a transform that does with a record what its key says.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redpanda-data/redpanda/src/transform-sdk/go/transform"
	"github.com/redpanda-data/redpanda/src/transform-sdk/go/transform/sr"
)

func main() {
	if os.Getenv("EXIT") != "" {
		fmt.Fprintln(os.Stderr, "I was told to exit")
		os.Exit(3)
	}
	fmt.Println("hello from", os.Args[0])
	transform.OnRecordWritten(do)
}

func do(e transform.WriteEvent, w transform.RecordWriter) error {
	r := e.Record()
	deed, what, _ := strings.Cut(string(r.Key), ":")
	switch deed {
	case "filter":
		return nil
	case "upper":
		r.Value = bytes.ToUpper(r.Value)
	case "null":
		r.Key, r.Value = nil, nil
	case "header":
		r.Headers = append(r.Headers, transform.RecordHeader{Key: []byte(what), Value: []byte("added")}, transform.RecordHeader{Key: []byte("null")})
	case "headerless":
		r.Headers = nil
	case "route":
		return w.Write(r, transform.ToTopic(what))
	case "try":
		if err := w.Write(r, transform.ToTopic(what)); err != nil {
			r.Value = []byte(err.Error())
		}
	case "fan":
		second := r
		second.Value = bytes.ToUpper(r.Value)
		return errors.Join(w.Write(second, transform.ToTopic("audit")), w.Write(r), w.Write(second))
	case "env":
		r.Value = []byte(strings.Join(os.Environ(), "\n"))
	case "args":
		r.Value = []byte(strings.Join(os.Args, "\n"))
	case "time":
		r.Value = fmt.Append(nil, r.Timestamp.UnixMilli(), " ", time.Now().UnixMilli(), " ", r.Offset)
	case "schema":
		_, err := sr.NewClient().LookupSchemaById(1)
		r.Value = fmt.Append(nil, err)
	case "error":
		return errors.New("this is a bad record")
	case "panic":
		panic("no")
	case "exit":
		os.Exit(7)
	case "loop":
		for {
		}
	}
	return w.Write(r)
}
