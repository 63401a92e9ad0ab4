package schema

import (
	"context"
	"encoding/binary"
	"encoding/json"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
	"sluice/gateway/record"
	"sluice/gateway/schema/codec"
)

// The parts of a record, as errors and subjects name them.
const (
	Key   = "key"
	Value = "value"
)

// Selector says which schema the key or value of a record is to be written with: one of ID, Text and Version, or the latest
// version if none is given.
type Selector struct {
	Topic string
	Part  string // Key or Value

	Subject  string // instead of Strategy
	Strategy string // TOPIC_NAME, RECORD_NAME, TOPIC_RECORD_NAME; "" is the first

	ID         int
	Version    int
	Text       string
	Format     Format // of Text; else what the registry says
	References []sr.SchemaReference
	Create     bool // register Text if it is not there
	Normalize  bool

	Options codec.Options
}

// Selection is a schema that is ready to write with.
type Selection struct {
	Subject string
	ID      int
	Version int // 0 if it is not known
	Format  Format

	part   string
	schema *Schema
	codec  Codec
	stats  *Stats
	quote  bool // what does not fit, in errors
}

// Schema is what the selection was compiled from.
func (s *Selection) Schema() *Schema { return s.schema }

// DefaultOptions are those of who has no topic.
func DefaultOptions(cfg config.Schema) codec.Options { return codec.Options{MaxDepth: cfg.MaxDepth} }

// Select finds the schema. Errors are *[RegistryError], *[UnusableError] or that of ctx.
func (r *Registry) Select(ctx context.Context, s *Selector) (*Selection, error) {
	found, err := r.find(ctx, s)
	if err != nil {
		return nil, err
	}
	return r.selection(s, found)
}

func (r *Registry) find(ctx context.Context, s *Selector) (*Schema, error) {
	switch {
	case s.ID > 0:
		return r.ByID(ctx, s.ID)
	case s.Text != "":
		k, err := s.registration()
		if err != nil {
			return nil, err
		}
		return r.registered.get(ctx, k)
	}
	return r.Version(ctx, s.subject(""), s.Version)
}

// forgive forgets that what find looks for is not there.
func (r *Registry) forgive(s *Selector) {
	switch {
	case s.ID > 0:
		r.byID.forgive(s.ID)
	case s.Text != "":
		if k, err := s.registration(); err == nil {
			r.registered.forgive(k)
		}
	case s.Version > 0:
		r.byVersion.forgive(versionKey{s.subject(""), s.Version})
	default:
		r.bySubject.forgive(s.subject(""))
	}
}

func (r *Registry) selection(s *Selector, found *Schema) (*Selection, error) {
	c, err := found.Codec(s.Options)
	if err != nil {
		return nil, err
	}
	return &Selection{
		Subject: s.subject(c.RecordName()), ID: found.ID, Version: found.Version, Format: found.Format,
		part: s.Part, schema: found, codec: c, stats: &r.Stats, quote: r.cfg.QuoteValues,
	}, nil
}

// subject is the subject of a schema whose record has the given name.
func (s *Selector) subject(recordName string) string {
	switch {
	case s.Subject != "":
		return s.Subject
	case s.Strategy == config.StrategyRecordName:
		return recordName
	case s.Strategy == config.StrategyTopicRecordName:
		return s.Topic + "-" + recordName
	default:
		return s.Topic + "-" + s.Part
	}
}

// registration is the key of what is to be in a subject.
func (s *Selector) registration() (registration, error) {
	refs, err := json.Marshal(s.References)
	if err != nil {
		return registration{}, err
	}
	return registration{
		topic: s.Topic, part: s.Part, subject: s.Subject, strategy: s.Strategy, text: s.Text, refs: string(refs), message: s.Options.Message,
		format: s.Format, create: s.Create, normalize: s.Normalize,
	}, nil
}

func parseReferences(text string) (refs []sr.SchemaReference, err error) {
	if err := json.Unmarshal([]byte(text), &refs); err != nil {
		return nil, err
	}
	return refs, nil
}

// frameSize is the frame before a value: a zero byte and the id of the schema.
const frameSize = 5

// AppendFrame appends the frame of a schema.
func AppendFrame(dst []byte, id int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), uint32(id))
}

// ParseFrame reads a frame; false if there is none.
func ParseFrame(p []byte) (id int, rest []byte, ok bool) {
	if len(p) < frameSize || p[0] != 0 {
		return 0, nil, false
	}
	return int(binary.BigEndian.Uint32(p[1:frameSize])), p[frameSize:], true
}

// Encode appends the frame and what is written of a JSON value. A text that is no JSON counts as a JSON string if it fits as one:
// keys are sent without quotes.
func (s *Selection) Encode(dst, value []byte) ([]byte, *record.Error) {
	start := len(dst)
	dst = AppendFrame(dst, s.ID)
	out, err := s.codec.Encode(dst, value)
	if err != nil && isBare(value) {
		if quoted, bad := s.codec.Encode(dst, appendQuoted(nil, value)); bad == nil {
			out, err = quoted, nil
		}
	}
	if err != nil {
		s.stats.Mismatches.Add(1)
		return dst[:start], s.mismatch(err)
	}
	s.stats.Encodes[s.Format].Add(1)
	return out, nil
}
