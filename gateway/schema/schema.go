package schema

import (
	"context"
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

	refs []codec.Reference // all that it needs, those that others need first

	mu     sync.Mutex
	codecs map[codec.Options]compiled
}

type compiled struct {
	codec Codec
	err   error
}

// What names the schema in an error.
func (s *Schema) What() string {
	if s.Subject == "" {
		return fmt.Sprintf("id %d", s.ID)
	}
	return fmt.Sprintf("subject %q, id %d", s.Subject, s.ID)
}

// Codec is the compiled schema.
func (s *Schema) Codec(o codec.Options) (Codec, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.codecs[o]; ok {
		return c.codec, c.err
	}
	c, err := compile(s.Format, []byte(s.Text), s.refs, o)
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
	}
	l := referenceLoader{registry: r, left: r.cfg.MaxBytes - len(out.Text)}
	if l.left < 0 {
		return nil, &UnusableError{What: out.What(), Err: errTooLarge}
	}
	if err := l.load(ctx, s.References, 0); err != nil {
		return nil, &UnusableError{What: out.What(), Err: err}
	}
	out.refs = l.out
	return out, nil
}

// maxReferences and maxReferenceDepth bound what one schema may need.
const (
	maxReferences     = 500
	maxReferenceDepth = 32
)

var errTooLarge = fmt.Errorf("with all that it refers to it is larger than schema.max.bytes, or refers to more than %d schemas", maxReferences)

// referenceLoader collects references of references.
type referenceLoader struct {
	registry *Registry
	left     int // bytes
	done     []sr.SchemaReference
	out      []codec.Reference
}

func (l *referenceLoader) load(ctx context.Context, refs []sr.SchemaReference, depth int) error {
	if depth > maxReferenceDepth {
		return fmt.Errorf("its references are more than %d deep", maxReferenceDepth)
	}
	for _, ref := range refs {
		if slices.Contains(l.done, ref) {
			continue
		}
		l.done = append(l.done, ref)
		s, err := l.registry.fetchVersion(ctx, ref.Subject, ref.Version)
		if err != nil {
			return fmt.Errorf("it refers to %q: %w", ref.Name, err)
		}
		if l.left -= len(s.Schema.Schema); l.left < 0 || len(l.done) > maxReferences {
			return errTooLarge
		}
		if err := l.load(ctx, s.References, depth+1); err != nil {
			return err
		}
		l.out = append(l.out, codec.Reference{Name: ref.Name, Schema: []byte(s.Schema.Schema)})
	}
	return nil
}
