package protobuf

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/descriptorpb"

	"sluice/gateway/schema/codec"
)

// Limits bound what compiling a schema may cost. A schema beyond one is an error that names it.
type Limits struct {
	SchemaBytes int           // of the schema and all references together; schema.max.bytes bounds what is read of the registry before
	References  int           // how many
	Nesting     int           // of braces and brackets; protoc itself takes 32 levels of messages
	Messages    int           // in the schema and all references that it imports
	NameBytes   int           // of the full names of all that is declared: each repeats the names around it
	Time        time.Duration // of compiling
}

// DefaultLimits are those of Compile.
func DefaultLimits() Limits {
	return Limits{SchemaBytes: 16 << 20, References: 256, Nesting: 64, Messages: 10_000, NameBytes: 16 << 20, Time: 10 * time.Second}
}

func (l Limits) check(schema []byte, refs []codec.Reference) error {
	if len(refs) > l.References {
		return fmt.Errorf("%d references, and the limit is %d (schema.max.references)", len(refs), l.References)
	}
	size := len(schema)
	for _, r := range refs {
		size += len(r.Schema)
	}
	if size > l.SchemaBytes {
		return fmt.Errorf("the schema and its references have %d bytes, and the limit is %d (schema.max.bytes)", size, l.SchemaBytes)
	}
	return nil
}

// checkNesting looks at a .proto text before the compiler does, whose work grows with the square of the depth.
func (l Limits) checkNesting(name string, text []byte) error {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '[', '<', '(':
			depth++
		case '}', ']', '>', ')':
			depth = max(depth-1, 0)
		case '"', '\'':
			i = skipString(text, i)
		case '/':
			i = skipComment(text, i)
		}
		if depth > l.Nesting {
			return fmt.Errorf("%s is nested more than %d levels deep (schema.protobuf.max.nesting)", name, l.Nesting)
		}
	}
	return nil
}

// skipString is where the string that begins at i ends: its closing quote, or the end of the line.
func skipString(text []byte, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case text[i], '\n':
			return j
		}
	}
	return len(text)
}

// skipComment is where the comment that may begin at i ends, or i.
func skipComment(text []byte, i int) int {
	if i+1 >= len(text) {
		return i
	}
	switch text[i+1] {
	case '/':
		for ; i < len(text) && text[i] != '\n'; i++ {
		}
	case '*':
		for i += 3; i < len(text) && (text[i-1] != '*' || text[i] != '/'); i++ {
		}
	}
	return i
}

// size is what compiled files will take: how many messages, and how many bytes of full names.
type size struct{ messages, names int }

func (l Limits) checkSize(n size) error {
	if n.messages > l.Messages {
		return fmt.Errorf("the schema has more than %d messages, with those that it imports (schema.protobuf.max.messages)", l.Messages)
	}
	if n.names > l.NameBytes {
		return fmt.Errorf("the full names of the schema have more than %d bytes together (schema.protobuf.max.name.bytes)", l.NameBytes)
	}
	return nil
}

func (n *size) file(fd *descriptorpb.FileDescriptorProto) {
	prefix := len(fd.GetPackage())
	for _, m := range fd.GetMessageType() {
		n.message(prefix, m)
	}
	for _, e := range fd.GetEnumType() {
		n.enum(prefix, e)
	}
	n.names += fields(prefix, fd.GetExtension())
	for _, s := range fd.GetService() {
		n.names += (prefix + 1 + len(s.GetName())) * (1 + len(s.GetMethod()))
	}
}

func (n *size) message(prefix int, m *descriptorpb.DescriptorProto) {
	prefix += 1 + len(m.GetName())
	n.messages++
	n.names += prefix + fields(prefix, m.GetField()) + fields(prefix, m.GetExtension())
	for _, o := range m.GetOneofDecl() {
		n.names += prefix + 1 + len(o.GetName())
	}
	for _, inner := range m.GetNestedType() {
		n.message(prefix, inner)
	}
	for _, e := range m.GetEnumType() {
		n.enum(prefix, e)
	}
}

// enum counts an enum and its values, which are named as if they stood beside it.
func (n *size) enum(prefix int, e *descriptorpb.EnumDescriptorProto) {
	n.names += prefix + 1 + len(e.GetName())
	for _, v := range e.GetValue() {
		n.names += prefix + 1 + len(v.GetName())
	}
}

func fields(prefix int, fs []*descriptorpb.FieldDescriptorProto) int {
	n := 0
	for _, f := range fs {
		n += prefix + 1 + len(f.GetName())
	}
	return n
}
