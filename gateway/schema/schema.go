package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/schema/codec"
)

// Schema is one schema of the registry. It does not change.
type Schema struct {
	ID         int
	Subject    string // that it was asked for by; "" if by its id
	Version    int    // in Subject
	Format     Format
	Text       string
	References []sr.SchemaReference

	refs     []codec.Reference // all that it needs, those that others need first
	compiler *compiler

	mu     sync.Mutex
	codecs map[codec.Options]compiled
}

type compiled struct {
	codec Codec
	err   error
}

// What names the schema in an error; "" if it has no name yet.
func (s *Schema) What() string {
	switch {
	case s.Subject != "" && s.ID != 0:
		return fmt.Sprintf("subject %q, id %d", s.Subject, s.ID)
	case s.Subject != "":
		return fmt.Sprintf("subject %q", s.Subject)
	case s.ID != 0:
		return fmt.Sprintf("id %d", s.ID)
	default:
		return ""
	}
}

// size is what the schema counts for in schema.cache.max.bytes: its text, and those of what it needs. Compiled it takes
// 10 to 35 times that.
func (s *Schema) size() int {
	n := len(s.Text)
	for _, r := range s.refs {
		n += len(r.Schema)
	}
	return n
}

// Codec is the compiled schema.
func (s *Schema) Codec(o codec.Options) (Codec, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.codecs[o]; ok {
		return c.codec, c.err
	}
	c, err := s.compiler.compile(s.Format, []byte(s.Text), s.refs, o)
	if err != nil {
		err = &UnusableError{What: s.What(), Err: err}
	}
	if s.codecs == nil {
		s.codecs = make(map[codec.Options]compiled)
	}
	s.codecs[o] = compiled{c, err} // options come from the configuration, so they are few
	return c, err
}

// newSchema loads what a schema refers to.
func (r *Registry) newSchema(ctx context.Context, s sr.SubjectSchema) (*Schema, error) {
	out := &Schema{
		ID: s.ID, Subject: s.Subject, Version: s.Version, Format: formatOf(s.Type), Text: s.Schema.Schema, References: s.References,
		compiler: r.compiler,
	}
	l := referenceLoader{registry: r, left: r.cfg.MaxBytes - len(out.Text)}
	if l.left < 0 {
		return nil, &UnusableError{What: out.What(), Err: errTooLarge}
	}
	if err := l.load(ctx, s.References); err != nil {
		return nil, &UnusableError{What: out.What(), Err: err}
	}
	out.refs = l.out
	return out, nil
}

var errTooLarge = errors.New("with all that it refers to it is larger than schema.max.bytes")

// referenceLoader collects references of references.
type referenceLoader struct {
	registry *Registry
	left     int // bytes
	done     []sr.SchemaReference
	out      []codec.Reference
}

func (l *referenceLoader) load(ctx context.Context, refs []sr.SchemaReference) error {
	for _, ref := range refs {
		if slices.Contains(l.done, ref) {
			continue
		}
		if l.done = append(l.done, ref); len(l.done) > l.registry.cfg.MaxReferences {
			return fmt.Errorf("with those that others need it needs more than %d schemas (schema.max.references)", l.registry.cfg.MaxReferences)
		}
		s, err := l.registry.fetchVersion(ctx, ref.Subject, ref.Version)
		if err != nil {
			return fmt.Errorf("it refers to %q: %w", ref.Name, err)
		}
		if l.left -= len(s.Schema.Schema); l.left < 0 {
			return errTooLarge
		}
		if err := l.load(ctx, s.References); err != nil {
			return err
		}
		l.out = append(l.out, codec.Reference{Name: ref.Name, Schema: []byte(s.Schema.Schema)})
	}
	return nil
}
