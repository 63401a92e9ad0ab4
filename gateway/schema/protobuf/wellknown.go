package protobuf

import (
	"bytes"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

const anyName = "google.protobuf.Any"

// writer appends a message whose JSON form is its own.
type writer func(e *encoder, dst []byte, m *message) ([]byte, *codec.ValueError)

// knownType is how the JSON form of a well-known type is written, or nil if it is an object with its fields.
func knownType(name protoreflect.FullName) writer {
	switch name {
	case anyName:
		return (*encoder).any
	case "google.protobuf.Timestamp":
		return (*encoder).timestamp
	case "google.protobuf.Duration":
		return (*encoder).duration
	case "google.protobuf.FieldMask":
		return (*encoder).fieldMask
	case "google.protobuf.Value":
		return (*encoder).value
	case "google.protobuf.Struct", "google.protobuf.ListValue":
		return (*encoder).onlyField
	}
	if isWrapper(name) {
		return (*encoder).onlyField
	}
	return nil
}

func isWrapper(name protoreflect.FullName) bool {
	if name.Parent() != "google.protobuf" {
		return false
	}
	switch name.Name() {
	case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue":
		return true
	default:
		return false
	}
}

// knownForm is the JSON form of a well-known type in the words of errors, or "".
func knownForm(name protoreflect.FullName) string {
	switch name {
	case anyName:
		return `an object with "@type"`
	case "google.protobuf.Timestamp":
		return "a time as 2006-01-02T15:04:05.999Z, from year 1 to 9999"
	case "google.protobuf.Duration":
		return "seconds as 1.5s, up to 315576000000"
	case "google.protobuf.FieldMask":
		return "names of fields, separated by commas"
	case "google.protobuf.Value":
		return "any JSON value"
	case "google.protobuf.Struct":
		return "an object"
	case "google.protobuf.ListValue":
		return "an array"
	default:
		return ""
	}
}

// onlyField appends a message whose JSON is that of its only field: a wrapper, Struct or ListValue.
func (e *encoder) onlyField(dst []byte, m *message) ([]byte, *codec.ValueError) {
	return e.field(dst, m.only)
}

// known reads the string that a well-known type is. It is valid until the next string is read.
func (e *encoder) known(m *message) ([]byte, *codec.ValueError) {
	if e.s.Peek() != jsontext.String {
		return nil, e.unexpected(m.wants())
	}
	return e.s.Text()
}

// form says that a string is not in the form of a well-known type.
func form(m *message, text []byte) *codec.ValueError {
	return quoting(m.wants(), string(text), "another string")
}

// quoting is an error that quotes what was found, if it is short.
func quoting(want, found, kind string) *codec.ValueError {
	if len(found) > 40 {
		return &codec.ValueError{Want: want, Found: kind}
	}
	return &codec.ValueError{Want: want, Found: strconv.Quote(found), Kind: kind}
}

// fieldMask appends the paths of a mask. Their names have lower camel case in JSON, underscores in the message.
func (e *encoder) fieldMask(dst []byte, m *message) ([]byte, *codec.ValueError) {
	text, err := e.known(m)
	if err != nil || len(text) == 0 {
		return dst, err
	}
	for path := range bytes.SplitSeq(text, []byte(",")) {
		dst = protowire.AppendTag(dst, 1, protowire.BytesType)
		body := len(dst)
		dst = append(dst, 0)
		for _, c := range path {
			if 'A' <= c && c <= 'Z' {
				dst = append(dst, '_', c-'A'+'a')
			} else {
				dst = append(dst, c)
			}
		}
		if bytes.IndexByte(path, '_') >= 0 || !protoreflect.FullName(dst[body+1:]).IsValid() {
			return nil, form(m, text)
		}
		dst = fixLength(dst, body)
	}
	return dst, nil
}

// value appends a google.protobuf.Value: the field of its oneof that the JSON value is. The numbers are those of struct.proto.
func (e *encoder) value(dst []byte, m *message) ([]byte, *codec.ValueError) {
	switch e.s.Peek() {
	case jsontext.Null:
		_, err := e.s.Word()
		return protowire.AppendVarint(protowire.AppendTag(dst, 1, protowire.VarintType), 0), err
	case jsontext.Number:
		at := e.s.Mark()
		dst, _, ok, err := e.float(protowire.AppendTag(dst, 2, protowire.Fixed64Type), protoreflect.DoubleKind, jsontext.Number)
		if err == nil && !ok {
			e.s.Back(at)
			err = e.unexpected("double")
		}
		return dst, err
	case jsontext.String:
		dst, _, err := e.text(protowire.AppendTag(dst, 3, protowire.BytesType))
		return dst, err
	case jsontext.Bool:
		v, err := e.s.Word()
		return protowire.AppendVarint(protowire.AppendTag(dst, 4, protowire.VarintType), protowire.EncodeBool(v)), err
	case jsontext.Object:
		return e.one(dst, m.fields["structValue"])
	case jsontext.Array:
		return e.one(dst, m.fields["listValue"])
	default:
		return nil, e.s.Syntax()
	}
}

// any appends a google.protobuf.Any: the message that "@type" names, if the schema or its references have it.
func (e *encoder) any(dst []byte, m *message) ([]byte, *codec.ValueError) {
	if e.s.Peek() != jsontext.Object {
		return nil, e.unexpected(m.wants())
	}
	url, empty, err := e.typeURL()
	if err != nil {
		return nil, err
	}
	if empty {
		_, err := e.s.Skip()
		return dst, err
	}
	held := e.byName[protoreflect.FullName(url[strings.LastIndexByte(url, '/')+1:])]
	if held == nil {
		return nil, within("@type", quoting("a message of the schema or its references", url, "another URL"))
	}
	dst = protowire.AppendString(protowire.AppendTag(dst, 1, protowire.BytesType), url)
	start := len(dst)
	dst = protowire.AppendTag(dst, 2, protowire.BytesType)
	body := len(dst)
	dst = append(dst, 0)
	if held.known == nil && held.name != "google.protobuf.Empty" {
		dst, err = e.object(dst, held, "@type")
	} else {
		dst, err = e.anyValue(dst, held)
	}
	if err != nil {
		return nil, err
	}
	if len(dst) == body+1 {
		return dst[:start], nil
	}
	return fixLength(dst, body), nil
}

// typeURL looks ahead for "@type" in an object. It may have no member at all.
func (e *encoder) typeURL() (url string, empty bool, err *codec.ValueError) {
	at := e.s.Mark()
	defer func() { e.s.Back(at) }()
	if err := e.s.Open(); err != nil {
		return "", false, err
	}
	for first := true; ; first = false {
		name, ok, err := e.s.Member(first)
		switch {
		case err != nil:
			return "", false, err
		case !ok && !first && url == "":
			return "", false, &codec.ValueError{Path: "/@type", Want: "the type of the message", Found: "nothing"}
		case !ok:
			return url, first, nil
		case string(name) != "@type":
			if _, err := e.s.Skip(); err != nil {
				return "", false, within(string(name), err)
			}
		case url != "" || e.s.Peek() != jsontext.String:
			return "", false, within("@type", e.unexpected("one string"))
		default:
			text, err := e.s.Text()
			if err != nil {
				return "", false, err
			}
			url = string(text)
		}
	}
}

// anyValue appends a well-known type in Any, whose JSON is the member "value".
func (e *encoder) anyValue(dst []byte, m *message) ([]byte, *codec.ValueError) {
	if err := e.s.Open(); err != nil {
		return nil, err
	}
	found := false
	for first := true; ; first = false {
		name, ok, err := e.s.Member(first)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		switch {
		case string(name) == "@type":
			_, err = e.s.Skip()
		case string(name) == "value" && !found:
			found = true
			dst, err = e.message(dst, m)
		default:
			err = &codec.ValueError{Want: `one member "value"`, Found: "another member"}
		}
		if err != nil {
			return nil, within(string(name), err)
		}
	}
	if !found && m.name != "google.protobuf.Empty" {
		return nil, &codec.ValueError{Path: "/value", Want: m.wants(), Found: "nothing"}
	}
	return dst, nil
}
