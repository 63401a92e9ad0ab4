package jsonschema

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// rootURL is where a schema stands that does not say so itself. Nothing is ever fetched from there.
const rootURL = "registry:///schema.json"

// documents are a schema and its references.
type documents struct {
	root any
	refs []document
}

type document struct {
	name string
	id   string // its own $id, or ""
	doc  any
}

func load(schema []byte, refs []codec.Reference, l Limits) (*documents, error) {
	if len(refs) > l.References {
		return nil, fmt.Errorf("%d references, and the limit is %d (schema.max.references)", len(refs), l.References)
	}
	size := len(schema)
	for _, r := range refs {
		size += len(r.Schema)
	}
	if size > l.SchemaBytes {
		return nil, fmt.Errorf("the schema and its references have %d bytes, and the limit is %d (schema.max.bytes)", size, l.SchemaBytes)
	}
	r, objects, places := reader{s: jsontext.Scanner{DepthLimit: "schema.jsonschema.max.nesting"}}, 0, 0
	read := func(text []byte) (any, error) {
		doc, err := r.read(text, l.Nesting, l.Digits)
		if err != nil {
			return nil, err
		}
		objects, places = objects+r.objects, places+oddPlaces(doc)
		if objects > l.Objects {
			return nil, fmt.Errorf("the schema and its references have more than %d objects (schema.jsonschema.max.objects)", l.Objects)
		}
		if objects*places > l.Places {
			return nil, fmt.Errorf("%d objects times %d of them with an $id or an odd $ref are more than %d (schema.jsonschema.max.places)", objects, places, l.Places)
		}
		return doc, nil
	}
	root, err := read(schema)
	if err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	d := &documents{root: root}
	for _, ref := range refs {
		doc, err := read(ref.Schema)
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", ref.Name, err)
		}
		d.refs = append(d.refs, document{name: ref.Name, id: id(doc), doc: doc})
	}
	return d, nil
}

// oddPlaces counts the objects of a schema that have an $id, or a $ref into the schema other than to its definitions.
func oddPlaces(doc any) int {
	n := 0
	switch v := doc.(type) {
	case map[string]any:
		if id(v) != "" {
			n++
		}
		if ref, ok := v["$ref"].(string); ok && strings.Contains(ref, "#/") && !strings.Contains(ref, "#/definitions/") && !strings.Contains(ref, "#/$defs/") {
			n++
		}
		for _, member := range v {
			n += oddPlaces(member)
		}
	case []any:
		for _, element := range v {
			n += oddPlaces(element)
		}
	}
	return n
}

// id is the $id of a schema, or the id that drafts up to 4 have.
func id(doc any) string {
	members, _ := doc.(map[string]any)
	for _, name := range []string{"$id", "id"} {
		if s, ok := members[name].(string); ok {
			return strings.TrimSuffix(s, "#")
		}
	}
	return ""
}

func title(doc any) string {
	members, _ := doc.(map[string]any)
	s, _ := members["title"].(string)
	return s
}

// compile is the compiled schema, and how many bytes a value may have for the sake of its patterns.
func compile(d *documents, s Settings) (_ *jsonschema.Schema, most int, err error) {
	defer func() {
		if p := recover(); p != nil { // the library has panics for what it thinks impossible
			err = fmt.Errorf("the compiler gave up on this schema: %v", p)
		}
	}()
	version, err := draft(s.Draft)
	if err != nil {
		return nil, 0, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(version)
	c.UseLoader(d)
	p := &patterns{limits: s.Limits, compiled: map[string]jsonschema.Regexp{}}
	c.UseRegexpEngine(p.compile)
	if s.IgnoreFormat {
		for _, name := range formats() {
			c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
		}
	} else {
		c.AssertFormat()
	}
	if err := c.AddResource(rootURL, d.root); err != nil {
		return nil, 0, err
	}
	compiled, err := c.Compile(rootURL)
	switch {
	case err != nil && p.failed != nil:
		return nil, 0, p.failed
	case err != nil:
		return nil, 0, d.explain(err)
	default:
		return compiled, s.Limits.Matching / max(p.largest, 1), nil
	}
}

// explain says what is wrong with a schema as errors of values do.
func (d *documents) explain(err error) error {
	if bad, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if inner, ok := errors.AsType[*jsonschema.ValidationError](bad.Err); ok {
			return fmt.Errorf("no valid JSON Schema: %w", first(inner, d.part(bad.URL)))
		}
	}
	if bad, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return bad.Err
	}
	return err
}

// part is what stands at a URL of the library, which has a pointer as its fragment.
func (d *documents) part(where string) any {
	base, fragment, _ := strings.Cut(where, "#")
	doc := d.root
	if base != rootURL {
		var err error
		if doc, err = d.Load(base); err != nil {
			return nil
		}
	}
	var path []string
	for token := range strings.SplitSeq(strings.TrimPrefix(fragment, "/"), "/") {
		if name, ok := codec.Unescape(token); ok && token != "" {
			path = append(path, name)
		}
	}
	return at(doc, path)
}

// Load is what the library calls for a URL that the schema refers to. It knows the references, and no network and no files.
func (d *documents) Load(at string) (any, error) {
	if root := id(d.root); root != "" && root == at {
		return d.root, nil
	}
	for _, base := range []string{"", rootURL, id(d.root)} {
		for _, r := range d.refs {
			if resolve(base, r.name) == at || base == "" && r.id != "" && r.id == at {
				return r.doc, nil
			}
		}
	}
	var best *document // the longest name that the URL ends with: references refer to each other by names that are relative to themselves
	for i, r := range d.refs {
		if strings.HasSuffix(at, "/"+strings.TrimPrefix(r.name, "/")) && (best == nil || len(r.name) > len(best.name)) {
			best = &d.refs[i]
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no reference is called %q", strings.TrimPrefix(at, strings.TrimSuffix(rootURL, "schema.json")))
	}
	return best.doc, nil
}

// resolve is the URL that a name means within a document, or the name itself.
func resolve(base, name string) string {
	b, err := url.Parse(base)
	if err != nil {
		return name
	}
	n, err := url.Parse(name)
	if err != nil {
		return name
	}
	return b.ResolveReference(n).String()
}

// formats are those that the library checks.
func formats() []string {
	return []string{
		"json-pointer", "relative-json-pointer", "uuid", "duration", "period", "ipv4", "ipv6", "hostname", "email", "date", "time",
		"date-time", "uri", "iri", "uri-reference", "iri-reference", "uri-template", "semver",
	}
}
