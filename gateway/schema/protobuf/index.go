package protobuf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sluice/gateway/schema/codec"
)

// choose is the message that a name or a path of indexes means. "" is the first one.
func choose(file protoreflect.FileDescriptor, message string) (protoreflect.MessageDescriptor, error) {
	if len(declared(file)) == 0 {
		return nil, errors.New("the schema has no message")
	}
	if message == "" {
		message = "0"
	}
	if path, ok := parsePath(message); ok {
		if d := at(file, path); d != nil {
			return d, nil
		}
		return nil, fmt.Errorf("the schema has no message at index %s", message)
	}
	name := strings.TrimPrefix(message, ".")
	for _, full := range []protoreflect.FullName{protoreflect.FullName(name), file.Package() + "." + protoreflect.FullName(name)} {
		if d := find(file, full); d != nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("the schema has no message %q, it has %s", message, names(file))
}

// maxNamed is how many messages an error names.
const maxNamed = 20

func names(file protoreflect.FileDescriptor) string {
	var all []string
	for i, d := range declared(file) {
		if i == maxNamed {
			all = append(all, "and more")
			break
		}
		all = append(all, string(d.FullName()))
	}
	return strings.Join(all, ", ")
}

func parsePath(s string) ([]int, bool) {
	var path []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(part), 10, 31)
		if err != nil {
			return nil, false
		}
		path = append(path, int(n))
	}
	return path, true
}

// parent is what messages are declared in: a file or a message.
type parent interface {
	Messages() protoreflect.MessageDescriptors
}

// declared are the messages that the text of a file or message declares, in order. The library also has messages for the entries of maps
// and for groups. Confluent's Java client, which counts by the text, does not count those.
func declared(p parent) []protoreflect.MessageDescriptor {
	var all []protoreflect.MessageDescriptor
	groups := groupsOf(p)
	for i := range p.Messages().Len() {
		if d := p.Messages().Get(i); !d.IsMapEntry() && !slices.Contains(groups, d) {
			all = append(all, d)
		}
	}
	return all
}

// groupsOf are the messages that group fields of a proto2 message declare.
func groupsOf(p parent) []protoreflect.MessageDescriptor {
	m, ok := p.(protoreflect.MessageDescriptor)
	if !ok || m.ParentFile().Syntax() != protoreflect.Proto2 {
		return nil
	}
	var groups []protoreflect.MessageDescriptor
	for i := range m.Fields().Len() {
		if f := m.Fields().Get(i); f.Kind() == protoreflect.GroupKind {
			groups = append(groups, f.Message())
		}
	}
	return groups
}

// at is the message at a path of indexes, or nil.
func at(p parent, path []int) protoreflect.MessageDescriptor {
	ms := declared(p)
	if path[0] >= len(ms) {
		return nil
	}
	if len(path) == 1 {
		return ms[path[0]]
	}
	return at(ms[path[0]], path[1:])
}

// find is the message of a full name, or nil.
func find(p parent, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for _, d := range declared(p) {
		if d.FullName() == name {
			return d
		}
		if strings.HasPrefix(string(name), string(d.FullName())+".") {
			return find(d, name)
		}
	}
	return nil
}

// indexesOf is the path of a message: which one it is of its file or message, from the outermost in.
func indexesOf(d protoreflect.MessageDescriptor) []int {
	var path []int
	for {
		p := d.Parent().(parent)
		path = append(path, slices.Index(declared(p), d))
		outer, ok := p.(protoreflect.MessageDescriptor)
		if !ok {
			slices.Reverse(path)
			return path
		}
		d = outer
	}
}

// appendIndexes writes message indexes as Confluent's clients do: their number and each of them as a zigzag varint; but the first message of
// a file, which most are, is a single 0.
func appendIndexes(dst []byte, path []int) []byte {
	if len(path) == 1 && path[0] == 0 {
		return append(dst, 0)
	}
	dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(len(path))))
	for _, i := range path {
		dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(i)))
	}
	return dst
}

// maxIndexes is how deep messages are nested at most in a schema that protoc takes, and more than Limits allow by default.
const maxIndexes = 64

// chosen reads message indexes, and is the message that they mean and what follows them.
func (c *Codec) chosen(data []byte) (protoreflect.MessageDescriptor, []byte, error) {
	if own, ok := bytes.CutPrefix(data, c.indexes); ok { // indexes say how many there are, so none are the beginning of others
		return c.desc, own, nil
	}
	path, n := readIndexes(data)
	if n < 0 {
		return nil, nil, &codec.ValueError{Want: "message indexes before the message", Found: "none that can be read"}
	}
	d := at(c.file, path)
	if d == nil {
		return nil, nil, &codec.ValueError{Want: "message indexes of the schema", Found: fmt.Sprint(path)}
	}
	return d, data[n:], nil
}

// readIndexes is the path and its length in bytes, or a negative number.
func readIndexes(data []byte) ([]int, int) {
	count, n := protowire.ConsumeVarint(data)
	if n < 0 {
		return nil, n
	}
	left := protowire.DecodeZigZag(count)
	if left == 0 {
		return []int{0}, n
	}
	if left < 0 || left > maxIndexes {
		return nil, -1
	}
	path := make([]int, 0, left)
	for range left {
		v, m := protowire.ConsumeVarint(data[n:])
		i := protowire.DecodeZigZag(v)
		if m < 0 || i < 0 || i > 1<<30 {
			return nil, -1
		}
		path, n = append(path, int(i)), n+m
	}
	return path, n
}
