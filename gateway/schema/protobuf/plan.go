package protobuf

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// message is what the encoder must know of a message type.
type message struct {
	name          string
	known         writer            // of a well-known type that has a JSON form of its own
	only          *field            // the first field of such a type
	fields        map[string]*field // by JSON name, by name, and "[extension]"
	required      []*field
	bits          int // what the bits of fields count up to
	ignoreUnknown bool
}

// field is what the encoder must know of a field, or of the key or value of a map.
type field struct {
	name     string
	number   protowire.Number
	kind     protoreflect.Kind
	bit      int // which bit says that the field was there
	oneof    int // which bit says that a field of its oneof was set, or -1
	oneofIs  string
	given    int // which bit says that a required field has a value, or -1
	list     bool
	packed   bool
	presence bool // a zero is written
	nullable bool // null is a value: google.protobuf.Value and NullValue
	msg      *message
	enum     *enum
	key, val *field // of a map
}

// enum is what the encoder must know of an enum.
type enum struct {
	name    string
	numbers map[string]int32
	known   map[int32]bool // of a closed enum, else nil
}

// planner makes the plans of messages, each once.
type planner struct {
	files         *protoregistry.Files
	ignoreUnknown bool
	plans         map[protoreflect.FullName]*message
	extensions    map[protoreflect.FullName][]protoreflect.ExtensionDescriptor // by the message that they extend
}

// message is the plan of a message and of all that it has in it.
func (p *planner) message(d protoreflect.MessageDescriptor) (*message, error) {
	if m, ok := p.plans[d.FullName()]; ok {
		return m, nil
	}
	if o, ok := d.Options().(*descriptorpb.MessageOptions); ok && o.GetMessageSetWireFormat() {
		return nil, fmt.Errorf("message %s is a message set, which has no JSON form", d.FullName())
	}
	m := &message{name: string(d.FullName()), known: knownType(d.FullName()), fields: map[string]*field{}, ignoreUnknown: p.ignoreUnknown}
	p.plans[d.FullName()] = m
	fields := make([]*field, d.Fields().Len())
	for i := range fields {
		f, err := p.field(d.Fields().Get(i))
		if err != nil {
			return nil, err
		}
		fields[i] = f
	}
	if m.enter(d, fields); m.known != nil && len(fields) > 0 {
		m.only = fields[0]
	}
	if err := p.extend(d, m); err != nil {
		return nil, err
	}
	if d.FullName() == anyName {
		return m, p.all()
	}
	return m, nil
}

// enter enters the fields under their names. If two fields have the same, that is the JSON name of the first.
func (m *message) enter(d protoreflect.MessageDescriptor, fields []*field) {
	m.bits = len(fields)
	for i := range d.Oneofs().Len() {
		o := d.Oneofs().Get(i)
		for j := range o.Fields().Len() {
			f := fields[o.Fields().Get(j).Index()]
			f.oneof, f.oneofIs = m.bits, string(o.Name())
		}
		m.bits++
	}
	for i, f := range fields {
		f.bit = i
		if d.Fields().Get(i).Cardinality() == protoreflect.Required {
			f.given = m.bits
			m.bits++
			m.required = append(m.required, f)
		}
		if _, ok := m.fields[f.name]; !ok {
			m.fields[f.name] = f
		}
	}
	for i, f := range fields {
		if name := d.Fields().Get(i).TextName(); m.fields[name] == nil {
			m.fields[name] = f
		}
	}
}

// field is the plan of one field.
func (p *planner) field(d protoreflect.FieldDescriptor) (*field, error) {
	f := &field{name: d.JSONName(), number: d.Number(), kind: d.Kind(), oneof: -1, given: -1, list: d.IsList(), packed: d.IsPacked(), presence: d.HasPresence()}
	var err error
	if d.IsMap() {
		if f.key, err = p.field(d.MapKey()); err != nil {
			return nil, err
		}
		f.val, err = p.field(d.MapValue())
		f.key.presence, f.val.presence = true, true // an entry has always both
		return f, err
	}
	if e := d.Enum(); e != nil {
		f.enum, f.nullable = planEnum(e), e.FullName() == "google.protobuf.NullValue"
	}
	if md := d.Message(); md != nil {
		f.msg, err = p.message(md)
		f.nullable = md.FullName() == "google.protobuf.Value"
	}
	return f, err
}

func planEnum(d protoreflect.EnumDescriptor) *enum {
	e := &enum{name: string(d.FullName()), numbers: map[string]int32{}}
	if d.IsClosed() {
		e.known = map[int32]bool{}
	}
	for i := range d.Values().Len() {
		v := d.Values().Get(i)
		e.numbers[string(v.Name())] = int32(v.Number())
		if e.known != nil {
			e.known[int32(v.Number())] = true
		}
	}
	return e
}

// extend adds the extensions of a message that the schema and its references have.
func (p *planner) extend(d protoreflect.MessageDescriptor, m *message) error {
	if p.extensions == nil {
		p.extensions = map[protoreflect.FullName][]protoreflect.ExtensionDescriptor{}
		p.files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
			p.collect(fd.Extensions(), fd.Messages())
			return true
		})
	}
	for _, x := range p.extensions[d.FullName()] {
		f, err := p.field(x)
		if err != nil {
			return err
		}
		f.name, f.bit = "["+string(x.FullName())+"]", m.bits
		m.bits++
		m.fields[f.name] = f
	}
	return nil
}

func (p *planner) collect(xs protoreflect.ExtensionDescriptors, ms protoreflect.MessageDescriptors) {
	for i := range xs.Len() {
		x := xs.Get(i)
		p.extensions[x.ContainingMessage().FullName()] = append(p.extensions[x.ContainingMessage().FullName()], x)
	}
	for i := range ms.Len() {
		p.collect(ms.Get(i).Extensions(), ms.Get(i).Messages())
	}
}

// all plans every message there is, for Any may hold each of them.
func (p *planner) all() (err error) {
	p.files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		err = p.allOf(fd.Messages())
		return err == nil
	})
	return err
}

func (p *planner) allOf(ms protoreflect.MessageDescriptors) error {
	for i := range ms.Len() {
		d := ms.Get(i)
		if o, ok := d.Options().(*descriptorpb.MessageOptions); d.IsMapEntry() || ok && o.GetMessageSetWireFormat() {
			continue
		}
		if _, err := p.message(d); err != nil {
			return err
		}
		if err := p.allOf(d.Messages()); err != nil {
			return err
		}
	}
	return nil
}

// wants is what the JSON of the field must be, in the words of errors.
func (f *field) wants() string {
	switch {
	case f.val != nil:
		return "map<" + f.key.typeName() + ", " + f.val.typeName() + "> (an object)"
	case f.list:
		return "repeated " + f.typeName() + " (an array)"
	default:
		return f.wantsOne()
	}
}

// wantsOne is what each element of the field must be.
func (f *field) wantsOne() string {
	switch {
	case f.msg != nil:
		return f.msg.wants()
	case f.enum != nil:
		return "enum " + f.enum.name
	case f.kind == protoreflect.BytesKind:
		return "bytes in base64"
	default:
		return f.typeName()
	}
}

// typeName is the type as the schema writes it.
func (f *field) typeName() string {
	switch {
	case f.msg != nil:
		return f.msg.name
	case f.enum != nil:
		return f.enum.name
	default:
		return f.kind.String()
	}
}

func (m *message) wants() string {
	if form := knownForm(protoreflect.FullName(m.name)); form != "" {
		return m.name + " (" + form + ")"
	}
	return "message " + m.name + " (an object)"
}
