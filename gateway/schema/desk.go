package schema

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
	"sluice/gateway/schema/codec"
)

// TopicSelector is which schema a topic's keys or values are written with. It reads the schema file that the configuration names.
// It is false if they have none.
func (r *Registry) TopicSelector(topic *config.Topic, part string) (s Selector, ok bool, err error) {
	cfg := topic.Value
	if part == Key {
		cfg = topic.Key
	}
	format, known := Avro, false
	if cfg != nil {
		format, known = ParseFormat(cfg.Name)
	}
	if !known || !cfg.Schema() || format == Framed {
		return s, false, nil
	}
	s, err = newSelector(topic, part, format, cfg, r.cfg.MaxDepth)
	return s, true, err
}

// NewSelection is a Selection of a schema that is known, for the part of a record.
func (r *Registry) NewSelection(s *Schema, part string, o codec.Options) (*Selection, error) {
	return r.selection(&Selector{Subject: s.Subject, Part: part, Options: o}, s)
}

// describer is a Codec that can be told of.
type describer interface {
	Describe() codec.Description
}

// Describe is what values the schema is for, in the words of people.
func (s *Schema) Describe(o codec.Options) (codec.Description, error) {
	c, err := s.Codec(o)
	if err != nil {
		return codec.Description{}, err
	}
	d, ok := c.(describer)
	if !ok {
		return codec.Description{}, fmt.Errorf("schemas of format %s cannot be described", s.Format.Name())
	}
	return d.Describe(), nil
}

// Decode appends the JSON of what has a frame, and says which schema it was written with.
func (r *Registry) Decode(ctx context.Context, dst, framed []byte, o codec.Options) ([]byte, *Schema, error) {
	id, rest, ok := ParseFrame(framed)
	if !ok {
		return dst, nil, errNoFrame
	}
	s, err := r.ByID(ctx, id)
	if err != nil {
		return dst, nil, err
	}
	c, err := s.Codec(o)
	if err != nil {
		return dst, s, err
	}
	out, err := c.Decode(dst, rest)
	if err != nil {
		return dst, s, fmt.Errorf("it does not fit the schema with id %d: %w", id, err)
	}
	return out, s, nil
}

var errNoFrame = errors.New("it does not begin with the frame of a schema registry: a zero byte and the 4 bytes of an id")

// Compiles says what is wrong with a schema text; what it refers to must be in the registry.
func (r *Registry) Compiles(ctx context.Context, f Format, text string, refs []sr.SchemaReference) error {
	s, err := r.newSchema(ctx, sr.SubjectSchema{Schema: sr.Schema{Schema: text, Type: f.registryType(), References: refs}})
	if err != nil {
		return err
	}
	_, err = r.compiler.compile(f, []byte(text), s.refs, codec.Options{MaxDepth: r.cfg.MaxDepth})
	return err
}

// SubjectOf is the subject that a schema text is looked for in.
func (r *Registry) SubjectOf(ctx context.Context, s *Selector) (string, error) {
	k, err := s.registration()
	if err != nil {
		return "", err
	}
	made, err := r.newSchema(ctx, sr.SubjectSchema{Schema: sr.Schema{Schema: s.Text, Type: s.Format.registryType(), References: s.References}})
	if err != nil {
		return "", err
	}
	return r.subjectOf(k, made)
}

// Compatible asks whether a schema may become the next version of a subject, and if not, why.
func (r *Registry) Compatible(ctx context.Context, subject string, f Format, text string, refs []sr.SchemaReference) (ok bool, why []string, err error) {
	s := sr.Schema{Schema: text, Type: f.registryType(), References: refs}
	err = r.client.do(ctx, fmt.Sprintf("whether a schema is compatible with subject %q", subject), func(ctx context.Context, c *sr.Client) error {
		answer, err := c.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), subject, latest, s)
		ok, why = answer.Is, answer.Messages
		return err
	})
	return ok, why, err
}

// RegisterText is Register for who has no words of the registry.
func (r *Registry) RegisterText(ctx context.Context, subject string, f Format, text string, refs []config.SchemaReference) (id int, err error) {
	return r.Register(ctx, subject, sr.Schema{Schema: text, Type: f.registryType(), References: References(refs)})
}

// References are what a configuration says that a schema refers to.
func References(refs []config.SchemaReference) []sr.SchemaReference {
	out := make([]sr.SchemaReference, 0, len(refs))
	for _, ref := range refs {
		out = append(out, sr.SchemaReference{Name: ref.Name, Subject: ref.Subject, Version: ref.Version})
	}
	return out
}
