// Package protobuf writes JSON values as Protobuf messages, and reads them back, by a schema of a Schema Registry.
//
// The JSON is that of the ProtoJSON format. What is written is what follows the frame of a Confluent client: the message
// indexes, then the message. It is written while the JSON is read, without a message in between: see DESIGN.md.
package protobuf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// Codec is one message of a compiled schema. It is never changed, and may be used by many goroutines at once.
type Codec struct {
	o       codec.Options
	file    protoreflect.FileDescriptor
	desc    protoreflect.MessageDescriptor
	plan    *message
	types   *dynamicpb.Types                   // what Any and extensions may hold: all of the schema and its references
	byName  map[protoreflect.FullName]*message // for what Any holds
	indexes []byte                             // as they are written before each message

	encoders sync.Pool // of *encoder
	required sync.Map  // what requiredOf found, by the full name of the message
}

// Compile makes the codec of a schema: the text of a .proto file, or a FileDescriptorProto in base64 as the registry answers to
// format=serialized. The names of refs are the paths that it imports. google/protobuf/*.proto and confluent/*.proto need no
// reference.
//
// o.Message is a full name, a name within the package, or a path of message indexes such as "1,0"; "" is the first message.
func Compile(schema []byte, refs []codec.Reference, o codec.Options) (*Codec, error) {
	return CompileWithin(schema, refs, o, DefaultLimits())
}

// CompileWithin is Compile with limits of its own.
func CompileWithin(schema []byte, refs []codec.Reference, o codec.Options, l Limits) (_ *Codec, err error) {
	defer func() {
		// protocompile 0.14.1 panics on some texts that are no Protobuf: testdata/fuzz has one.
		if p := recover(); p != nil {
			err = fmt.Errorf("the compiler gave up on this schema: %v", p)
		}
	}()
	file, types, err := link(schema, refs, l)
	if err != nil {
		return nil, err
	}
	desc, err := choose(file, o.Message)
	if err != nil {
		return nil, err
	}
	c := &Codec{o: o, file: file, desc: desc, types: dynamicpb.NewTypes(types), indexes: appendIndexes(nil, indexesOf(desc))}
	p := planner{files: types, ignoreUnknown: o.IgnoreUnknown, plans: map[protoreflect.FullName]*message{}}
	if c.plan, err = p.message(desc); err != nil {
		return nil, err
	}
	c.byName = p.plans
	c.encoders.New = func() any { return &encoder{s: jsontext.Scanner{DepthLimit: "schema.max.depth"}, byName: c.byName} }
	return c, nil
}

// RecordName is the full name of the message.
func (c *Codec) RecordName() string { return string(c.desc.FullName()) }

// Encode appends the message indexes and the message that a JSON value says.
func (c *Codec) Encode(dst, value []byte) ([]byte, error) {
	e := c.encoders.Get().(*encoder)
	defer c.encoders.Put(e)
	e.reset(value, c.o.Depth())
	out, err := e.message(append(dst, c.indexes...), c.plan)
	if err == nil {
		err = e.s.End()
	}
	if err == nil {
		err = c.checkBytes(len(out) - len(dst))
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Decode appends the JSON of a message, which its indexes choose among those of the schema. Fields that the schema does not have are
// left out.
func (c *Codec) Decode(dst, data []byte) (out []byte, err error) {
	defer func() {
		// protobuf-go 1.36.12 panics on an entry of a map that has its key twice, the second time as another type: testdata/fuzz has one.
		if p := recover(); p != nil {
			out, err = dst, &codec.ValueError{Want: "a message of the schema", Found: "bytes that cannot be read"}
		}
	}()
	desc, data, err := c.chosen(data)
	if err != nil {
		return dst, err
	}
	m := dynamicpb.NewMessage(desc)
	u := proto.UnmarshalOptions{Resolver: c.types, RecursionLimit: c.messageDepth()}
	if err := u.Unmarshal(data, m); err != nil {
		return dst, &codec.ValueError{Want: "message " + string(desc.FullName()), Found: reason(err)}
	}
	text, err := protojson.MarshalOptions{Resolver: c.types}.Marshal(m)
	if err != nil {
		return dst, &codec.ValueError{Want: "message " + string(desc.FullName()) + " that has a JSON form", Found: reason(err)}
	}
	compact := bytes.NewBuffer(dst)
	if err := json.Compact(compact, text); err != nil { // protojson puts in spaces by chance
		return dst, &codec.ValueError{Want: "JSON", Found: err.Error()}
	}
	if err := c.checkBytes(compact.Len() - len(dst)); err != nil {
		return dst, err
	}
	return compact.Bytes(), nil
}

func (c *Codec) checkBytes(n int) *codec.ValueError {
	if c.o.MaxBytes <= 0 || n <= c.o.MaxBytes {
		return nil
	}
	return &codec.ValueError{Want: fmt.Sprintf("at most %d bytes when written", c.o.MaxBytes), Found: strconv.Itoa(n)}
}

// reason is the text of an error of the protobuf library, without the prefix that each of them has.
func reason(err error) string {
	text := []byte(err.Error())
	if text, ok := bytes.CutPrefix(text, []byte("proto:")); ok {
		return string(bytes.TrimLeft(text, " \u00a0")) // the library puts in one of two spaces by chance
	}
	return string(text)
}
