package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
	"sluice/gateway/schema/avro"
	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsonschema"
	"sluice/gateway/schema/protobuf"
)

// Format is how keys or values are written.
type Format uint8

// The formats.
const (
	String Format = iota
	JSON
	Avro
	Protobuf
	JSONSchema
	Framed // in one of the three before, by the sender
	numFormats
)

// Name is the word of key.serializer and value.serializer.
func (f Format) Name() string {
	return [...]string{config.SerializerString, config.SerializerJSON, config.SerializerAvro, config.SerializerProtobuf, config.SerializerJSONSchema, config.SerializerFramed}[f]
}

// Formats returns all of them.
func Formats() []Format { return []Format{String, JSON, Avro, Protobuf, JSONSchema, Framed} }

// ParseFormat is the format of a name; false if there is none.
func ParseFormat(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name() == name {
			return f, true
		}
	}
	return 0, false
}

// registryType is the schemaType of the registry.
func (f Format) registryType() sr.SchemaType {
	switch f {
	case Protobuf:
		return sr.TypeProtobuf
	case JSONSchema:
		return sr.TypeJSON
	default:
		return sr.TypeAvro
	}
}

// formatOf is the format of a schemaType of the registry.
func formatOf(t sr.SchemaType) Format {
	switch t {
	case sr.TypeProtobuf:
		return Protobuf
	case sr.TypeJSON:
		return JSONSchema
	default:
		return Avro
	}
}

// Codec writes and reads the values of one schema; see package codec.
type Codec interface {
	Encode(dst, value []byte) ([]byte, error)
	Decode(dst, data []byte) ([]byte, error)
	Check(data []byte) error
	RecordName() string
}

// compiler is what the configuration says of the formats.
type compiler struct {
	protobuf   protobuf.Limits
	jsonschema jsonschema.Settings
}

func newCompiler(cfg *config.Schema) *compiler {
	p, j := &cfg.Protobuf, &cfg.JSONSchema
	year, _, _ := strings.Cut(j.Draft, "-")
	draft, _ := strconv.Atoi(year)
	return &compiler{
		protobuf: protobuf.Limits{
			SchemaBytes: cfg.MaxBytes, References: cfg.MaxReferences, Nesting: p.MaxNesting, Messages: p.MaxMessages, NameBytes: p.MaxNameBytes,
			Time: p.CompileTimeout,
		},
		jsonschema: jsonschema.Settings{
			Draft: draft, IgnoreFormat: !j.CheckFormat,
			Limits: jsonschema.Limits{
				SchemaBytes: cfg.MaxBytes, References: cfg.MaxReferences, Nesting: j.MaxNesting, Objects: j.MaxObjects, Places: j.MaxPlaces,
				Regexp: j.MaxPattern, Regexps: j.MaxPatterns, Matching: j.MaxMatching, Digits: j.MaxDigits, Visits: j.MaxVisits,
			},
		},
	}
}

// compile makes the Codec of a schema.
func (c *compiler) compile(f Format, text []byte, refs []codec.Reference, o codec.Options) (Codec, error) {
	switch f {
	case Avro:
		return made(avro.Compile(text, refs, o))
	case Protobuf:
		return made(protobuf.CompileWithin(text, refs, o, c.protobuf))
	case JSONSchema:
		return made(jsonschema.CompileWith(text, refs, o, c.jsonschema))
	default:
		return nil, fmt.Errorf("%s has no schemas", f.Name())
	}
}

// made keeps a nil pointer from becoming a Codec that is not nil.
func made[C Codec](c C, err error) (Codec, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
