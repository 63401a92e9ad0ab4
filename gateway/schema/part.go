package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"unicode/utf8"

	"sluice/gateway/config"
	"sluice/gateway/record"
	"sluice/gateway/schema/codec"
)

// part is how the keys or the values of a topic are written.
type part struct {
	name     string
	format   Format
	compact  bool
	idOnly   bool // of a frame only its id is looked at
	registry *Registry
	selector Selector
	file     string                    // that Text of selector was read from
	fixed    atomic.Pointer[Selection] // what was found, where that cannot change
	known    atomic.Pointer[Selection] // what was found last
	stats    *Stats
	json     jsonChecker
}

// newPart is nil for raw.
func newPart(topic *config.Topic, name string, cfg *config.Serializer, registry *Registry) (*part, error) {
	if cfg == nil {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	format, ok := ParseFormat(cfg.Name)
	if !ok {
		return nil, fmt.Errorf("%s: unknown serializer %q", cfg.Place.Key, cfg.Name)
	}
	p := &part{name: name, format: format, compact: cfg.Compact, idOnly: cfg.FrameOnly, registry: registry, file: cfg.SchemaFile, stats: &registry.Stats, json: jsonChecker{depth: registry.cfg.MaxJSONDepth}}
	if !cfg.Schema() {
		return p, nil
	}
	if len(registry.client.each) == 0 {
		return nil, fmt.Errorf("%s = %q: there is no schema registry in use; schema.registry.url takes effect at the next start", cfg.Place.Key, cfg.Name)
	}
	var err error
	if p.selector, err = newSelector(topic, name, format, cfg, registry.cfg.MaxDepth); err != nil {
		return nil, err
	}
	return p, p.compileFile(cfg)
}

func newSelector(topic *config.Topic, name string, format Format, cfg *config.Serializer, depth int) (Selector, error) {
	s := Selector{
		Topic: topic.Name, Part: name, Subject: cfg.Subject, Strategy: cfg.Strategy, ID: cfg.ID, Version: cfg.Version,
		Format: format, Create: cfg.AutoRegister, Normalize: cfg.Normalize,
		Options: codec.Options{MaxDepth: depth, Message: cfg.Message, IgnoreUnknown: cfg.IgnoreUnknown, Strict: cfg.Strict, Compact: cfg.Compact},
	}
	if s.Subject == "" && s.Strategy == config.StrategyTopicName {
		s.Subject = s.subject("") // once, and not for every batch
	}
	s.References = References(cfg.References)
	if cfg.SchemaFile == "" {
		return s, nil
	}
	text, err := os.ReadFile(cfg.SchemaFile)
	if err != nil {
		return s, fmt.Errorf("%s.schema.file: %w", name, err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return s, fmt.Errorf("%s.schema.file: %s is empty", name, cfg.SchemaFile)
	}
	s.Text = string(text)
	return s, nil
}

// compileFile tells early what is wrong with a schema in a file.
func (p *part) compileFile(cfg *config.Serializer) error {
	if p.selector.Text == "" || len(p.selector.References) > 0 {
		return nil
	}
	if _, err := p.registry.compiler.compile(p.format, []byte(p.selector.Text), nil, p.selector.Options); err != nil {
		return fmt.Errorf("%s.schema.file: %s: %w", p.name, cfg.SchemaFile, err)
	}
	return nil
}

// changed says whether the file of the schema has another content than when it was read.
func (p *part) changed() bool {
	if p == nil || p.file == "" {
		return false
	}
	text, err := os.ReadFile(p.file)
	return err == nil && string(text) != p.selector.Text
}

// Changed says whether a schema file was changed since the Serializer was made.
func (s *Serializer) Changed() bool { return s != nil && (s.key.changed() || s.value.changed()) }

// usesRegistry says whether a schema has to be found.
func (p *part) usesRegistry() bool {
	return p.format == Avro || p.format == Protobuf || p.format == JSONSchema
}

// current is the schema to write with; nil if none is needed.
func (p *part) current(ctx context.Context) (*Selection, *record.Error) {
	if !p.usesRegistry() {
		return nil, nil
	}
	if s := p.fixed.Load(); s != nil {
		return s, nil
	}
	found, err := p.registry.find(ctx, &p.selector)
	if err != nil {
		return nil, asRecordError(err)
	}
	if last := p.known.Load(); last != nil && last.schema == found {
		return last, nil
	}
	s, err := p.registry.selection(&p.selector, found)
	if err == nil && s.Format != p.format {
		err = &UnusableError{What: found.What(), Err: fmt.Errorf("it is one of %s, and %s.serializer is %s", s.Format.Name(), p.name, p.format.Name())}
	}
	if err != nil {
		return nil, asRecordError(err)
	}
	p.known.Store(s)
	if p.selector.ID > 0 || p.selector.Text != "" || p.selector.Version > 0 {
		p.fixed.Store(s)
	}
	return s, nil
}

// count counts a record for which there is no schema.
func (p *part) count(err *record.Error) {
	if err.Code == record.SchemaUnavailable {
		p.stats.Unavailable.Add(1)
	} else {
		p.stats.Refused.Add(1)
	}
}

// write appends what is written of a value. same says that it is the value itself, and nothing was appended.
func (p *part) write(dst, value []byte, s *Selection) (out []byte, same bool, err *record.Error) {
	switch p.format {
	case String:
		out, same, err = p.writeString(dst, value)
	case JSON:
		out, same, err = p.writeJSON(dst, value)
	default:
		out, err = s.Encode(dst, value)
		return out, false, err
	}
	if err != nil {
		if err.Code == record.SchemaMismatch {
			p.stats.Mismatches.Add(1)
		} else {
			p.count(err)
		}
		return dst, true, err
	}
	p.stats.Encodes[p.format].Add(1)
	return out, same, nil
}

// writeString writes text. A JSON string is the text that it stands for.
func (p *part) writeString(dst, value []byte) ([]byte, bool, *record.Error) {
	if !utf8.Valid(value) {
		return dst, true, p.mismatch(&codec.ValueError{Want: "text in UTF-8", Found: "bytes that are not"})
	}
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' || !json.Valid(value) {
		return dst, true, nil
	}
	var text string
	_ = json.Unmarshal(value, &text) // it is valid
	return append(dst, text...), false, nil
}

func (p *part) writeJSON(dst, value []byte) ([]byte, bool, *record.Error) {
	if err := p.json.check(value); err != nil {
		if p.name == Key && utf8.Valid(value) && isBare(value) { // keys are sent without quotes
			return appendQuoted(dst, value), false, nil
		}
		return dst, true, p.mismatch(err)
	}
	if !p.compact {
		return dst, true, nil
	}
	return compact(dst, value), false, nil
}
