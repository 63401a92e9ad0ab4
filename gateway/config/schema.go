package config

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schema is [schema]: the schema registry.
type Schema struct {
	URLs           []string // registry.url; ["embedded"] for the one in this process
	Authorization  string   // the header of that name; "" if there is none
	TLS            SchemaTLS
	RequestTimeout time.Duration // registry.request.timeout.ms
	LatestTTL      time.Duration // latest.cache.ttl.ms
	MissingTTL     time.Duration // missing.cache.ttl.ms
	CacheSize      int           // cache.size
	CacheBytes     int           // cache.max.bytes
	MaxBytes       int           // max.bytes
	MaxReferences  int           // max.references
	MaxDepth       int           // max.depth
	MaxJSONDepth   int           // json.max.depth
	QuoteValues    bool          // errors.quote.values
	Protobuf       SchemaProtobuf
	JSONSchema     SchemaJSON
	Listen         string // embedded.listen

	tls Security
}

// SchemaTLS is registry.ssl.*: files in PEM.
type SchemaTLS struct{ CAFile, CertFile, KeyFile, ServerName string }

// SchemaProtobuf is protobuf.*: what compiling a Protobuf schema may cost.
type SchemaProtobuf struct {
	MaxNesting, MaxMessages, MaxNameBytes int
	CompileTimeout                        time.Duration
}

// SchemaJSON is jsonschema.*: what a JSON Schema means that does not say it itself, and what compiling it and checking values may cost.
type SchemaJSON struct {
	Draft       string // 4, 6, 7, 2019-09, 2020-12
	CheckFormat bool

	MaxNesting, MaxObjects, MaxPlaces, MaxPattern, MaxPatterns, MaxMatching, MaxDigits, MaxVisits int
}

// IsEmbedded says whether the registry in this process is to be used.
func (s *Schema) IsEmbedded() bool { return len(s.URLs) == 1 && s.URLs[0] == embedded }

// Serializer is what the file says of the key or the value of a topic's records.
type Serializer struct {
	Name          string // raw, string, json, avro, protobuf, jsonschema, confluent-framed
	SchemaFile    string // schema.file, from where the process stands; "" if there is none
	ID            int    // schema.id; 0 if it is not given
	Version       int    // schema.version; 0 if it is not given
	References    []SchemaReference
	Message       string // schema.message
	Strategy      string // TOPIC_NAME, RECORD_NAME, TOPIC_RECORD_NAME
	Subject       string // schema.subject; "" has the strategy choose
	IgnoreUnknown bool
	Strict        bool
	Compact       bool
	AutoRegister  bool
	Normalize     bool
	FrameOnly     bool // framed.verify is id: what is behind a frame is not looked at

	Place SerializerPlace // where it stands
}

// SchemaReference is a schema that another one refers to by name.
type SchemaReference struct {
	Name, Subject string
	Version       int
}

// SerializerPlace is where a serializer stands in a file.
type SerializerPlace struct {
	File string
	Line int
	Key  string // topics.orders.value.serializer
}

// Schema says whether the serializer needs the schema registry.
func (s *Serializer) Schema() bool {
	return s != nil && slices.Contains([]string{SerializerAvro, SerializerProtobuf, SerializerJSONSchema, SerializerFramed}, s.Name)
}

// Equal says whether two serializers mean the same, wherever they stand.
func (s *Serializer) Equal(o *Serializer) bool {
	if s == nil || o == nil {
		return s == o
	}
	a, b := *s, *o
	a.Place, b.Place = SerializerPlace{}, SerializerPlace{}
	return reflect.DeepEqual(a, b)
}

// From is where something is taken out of a value.
type From struct {
	Name    string // of a header
	Pointer string // JSON Pointer
}

// completeSchema makes [schema] complete and checks it.
func (r *resolver) completeSchema(s *Schema, l settings) {
	t := s.tls
	if store := l.string("registry.ssl.keystore.location"); store != "" {
		t.TLSCertFile, t.TLSKeyFile = store, store
	}
	s.TLS = SchemaTLS{CAFile: t.TLSCAFile, CertFile: t.TLSCertFile, KeyFile: t.TLSKeyFile, ServerName: t.TLSServerName}
	if info := l.string("basic.auth.user.info"); info != "" {
		s.Authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(info))
	}
	if token := l.string("bearer.auth.token"); token != "" {
		s.Authorization = "Bearer " + token
	}
	if g := l.layer["cache.max.bytes"]; s.CacheBytes < s.MaxBytes {
		r.fail("schema.cache.max.bytes", g, fmt.Sprintf("must be at least max.bytes (%d): a schema must fit into the cache", s.MaxBytes))
	}
	r.checkRegistryURLs(l)
	r.checkRegistryLogin(l)
	r.checkRegistryStores(l)
}

func (r *resolver) checkRegistryURLs(l settings) {
	g, ok := l.layer["registry.url"]
	if !ok || g.bad {
		return
	}
	urls, _ := g.value.([]string)
	if strings.Contains(g.text, "@") {
		g.text = masked
	}
	if len(urls) == 0 {
		r.fail("schema.registry.url", g, "must name at least one registry")
	}
	for _, u := range urls {
		if u == embedded {
			if len(urls) > 1 {
				r.fail("schema.registry.url", g, `"embedded" must stand alone`)
			}
			continue
		}
		parsed, err := url.Parse(u)
		switch {
		case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "":
			r.fail("schema.registry.url", g, fmt.Sprintf("%q: must begin with http:// or https://, and name a host", u))
		case parsed.User != nil:
			r.fail("schema.registry.url", g, "must not hold user and password, which everybody would see; use basic.auth.user.info")
		}
	}
}

func (r *resolver) checkRegistryLogin(l settings) {
	needs := func(name, other string) {
		if g, ok := l.layer[name]; ok && l.string(other) == "" {
			r.fail("schema."+name, g, "needs "+other)
		}
	}
	needs("basic.auth.credentials.source", "basic.auth.user.info")
	needs("bearer.auth.credentials.source", "bearer.auth.token")
	info, basic := l.layer["basic.auth.user.info"]
	token, bearer := l.layer["bearer.auth.token"]
	if text, _ := info.value.(string); basic && !strings.Contains(text, ":") {
		r.fail("schema.basic.auth.user.info", info, "must be user:password")
	}
	if basic && bearer {
		r.fail("schema.bearer.auth.token", token, fmt.Sprintf("is one of two ways to log in, and basic.auth.user.info (%s) is the other; leave out one", info.origin.where()))
	}
}

func (r *resolver) checkRegistryStores(l settings) {
	for _, store := range []string{"registry.ssl.truststore", "registry.ssl.keystore"} {
		location, set := l.layer[store+".location"]
		if kind := l.layer[store+".type"]; set && kind.value != "PEM" {
			r.fail("schema."+store+".location", location, fmt.Sprintf("%s.type is %v (%s), which only Java can read; convert it to PEM, and set %s.type = \"PEM\"",
				store, kind.value, kind.origin.where(), store))
		}
	}
	const chain, key = "registry.ssl.keystore.certificate.chain.location", "registry.ssl.keystore.key.location"
	for one, other := range map[string]string{chain: key, key: chain} {
		if g, ok := l.layer[one]; ok && l.string(other) == "" {
			r.fail("schema."+one, g, "needs "+other)
		}
	}
}

// serializers makes what a table says of keys and values, and what is taken out of values.
func (r *resolver) serializers(t *tableFile, own layer, out *Topic, registry bool) {
	s := settings{own}
	out.Key = r.serializer(t, s, "key", registry)
	out.Value = r.serializer(t, s, "value", registry)
	out.KeyFrom = r.from(t, s, "key.from")
	out.TimestampFrom = r.from(t, s, "timestamp.from")
	out.HeadersFrom = r.headersFrom(t, s)
	for _, flag := range []string{"auto.register.schemas", "normalize.schemas"} {
		if g, ok := own[flag]; ok && g.value == true && s.string("key.schema.file") == "" && s.string("value.schema.file") == "" {
			r.failTopic(t, flag, g, "needs value.schema.file or key.schema.file: the schema to register")
		}
	}
	if g, ok := own["use.latest.version"]; ok && g.value == true {
		for _, key := range []string{"key.schema.file", "key.schema.id", "key.schema.version", "value.schema.file", "value.schema.id", "value.schema.version"} {
			if o, both := own[key]; both {
				r.failTopic(t, "use.latest.version", g, fmt.Sprintf("must not stand beside %s (%s), which says what to write with", key, o.origin.where()))
			}
		}
	}
}

func (r *resolver) failTopic(t *tableFile, name string, g given, rule string) {
	r.fail(dotted([]string{"topics", t.pattern})+"."+name, g, rule)
}

// serializer is nil for raw.
func (r *resolver) serializer(t *tableFile, s settings, part string, registry bool) *Serializer {
	g := s.layer[part+".serializer"]
	out := &Serializer{Name: s.string(part + ".serializer")}
	if g.bad {
		return nil
	}
	out.Place = SerializerPlace{File: r.file.name, Line: g.origin.Line, Key: dotted([]string{"topics", t.pattern}) + "." + part + ".serializer"}
	if out.Schema() && !registry {
		r.failTopic(t, part+".serializer", g, "needs schema.registry.url: a registry, or \"embedded\" for trying out")
	}
	r.checkEffect(t, s, part, out)
	if out.Name == SerializerRaw {
		return nil
	}
	if file := s.string(part + ".schema.file"); file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(r.file.name), file)
		}
		out.SchemaFile = file
	}
	out.ID, out.Version = int(s.int(part+".schema.id")), int(s.int(part+".schema.version"))
	out.Message, out.Subject = s.string(part+".schema.message"), s.string(part+".schema.subject")
	out.Strategy = StrategyTopicName
	if name := s.string(part + ".subject.name.strategy"); name != "" {
		out.Strategy = strategies()[name]
	}
	out.IgnoreUnknown, out.Strict = s.bool(part+".schema.ignore.unknown"), s.bool(part+".schema.strict.json")
	out.Compact, out.FrameOnly = s.bool(part+".json.compact"), s.string(part+".framed.verify") == VerifyID
	out.AutoRegister, out.Normalize = s.bool("auto.register.schemas"), s.bool("normalize.schemas")
	out.References = r.references(t, s, part)
	r.checkSelector(t, s, part, out)
	return out
}

// checkEffect refuses keys that do nothing with the serializer: who wrote them believes that they do.
func (r *resolver) checkEffect(t *tableFile, s settings, part string, out *Serializer) {
	for _, name := range slices.Sorted(maps.Keys(s.layer)) {
		rest, ok := strings.CutPrefix(name, part+".")
		if !ok || rest == "serializer" || rest == "from" {
			continue
		}
		works := out.Schema() && out.Name != SerializerFramed
		switch rest {
		case "json.compact":
			works = out.Name == SerializerJSON || out.Name == SerializerJSONSchema
		case "framed.verify":
			works = out.Name == SerializerFramed
		}
		if !works {
			r.failTopic(t, name, s.layer[name], fmt.Sprintf("has no effect with %s.serializer = %s", part, out.Name))
		}
	}
}

// checkSelector refuses what says twice, or not at all, which schema is meant.
func (r *resolver) checkSelector(t *tableFile, s settings, part string, out *Serializer) {
	var first string
	for _, name := range []string{part + ".schema.file", part + ".schema.id", part + ".schema.version"} {
		g, ok := s.layer[name]
		switch {
		case ok && first != "":
			r.failTopic(t, name, g, fmt.Sprintf("must not stand beside %s (%s): both say which schema is meant", first, s.layer[first].origin.where()))
		case ok:
			first = name
		}
	}
	if g, ok := s.layer[part+".schema.references"]; ok && out.SchemaFile == "" {
		r.failTopic(t, part+".schema.references", g, "needs "+part+".schema.file; the registry knows those of its own schemas")
	}
	strategy, hasStrategy := s.layer[part+".subject.name.strategy"]
	switch {
	case hasStrategy && out.Subject != "":
		r.failTopic(t, part+".subject.name.strategy", strategy, "must not stand beside "+part+".schema.subject, which is the subject itself")
	case hasStrategy && out.Strategy != StrategyTopicName && out.SchemaFile == "" && out.ID == 0:
		r.failTopic(t, part+".subject.name.strategy", strategy, "needs "+part+".schema.file or "+part+".schema.id, or "+part+".schema.subject instead: the name of the record is known from its schema only")
	}
}

func (r *resolver) references(t *tableFile, s settings, part string) []SchemaReference {
	name := part + ".schema.references"
	g, ok := s.layer[name]
	list, _ := g.value.([]string)
	var out []SchemaReference
	for _, text := range list {
		ref, good := ParseSchemaReference(text)
		if ok && !good {
			r.failTopic(t, name, g, fmt.Sprintf("%q: must be name=subject:version", text))
			return nil
		}
		out = append(out, ref)
	}
	return out
}

// ParseSchemaReference reads name=subject:version.
func ParseSchemaReference(text string) (SchemaReference, bool) {
	name, rest, _ := strings.Cut(text, "=")
	at := strings.LastIndexByte(rest, ':')
	if at < 1 || name == "" {
		return SchemaReference{}, false
	}
	version, err := strconv.Atoi(rest[at+1:])
	return SchemaReference{Name: name, Subject: rest[:at], Version: version}, err == nil && version > 0
}

const fromPrefix = "json:"

// from is the pointer of a *.from; "" if there is none.
func (r *resolver) from(t *tableFile, s settings, name string) *From {
	g, ok := s.layer[name]
	if !ok || g.bad {
		return nil
	}
	text, _ := g.value.(string)
	pointer, rule := pointerOf(text)
	if rule != "" {
		r.failTopic(t, name, g, rule)
		return nil
	}
	return &From{Pointer: pointer}
}

func pointerOf(text string) (pointer, rule string) {
	pointer, ok := strings.CutPrefix(text, fromPrefix)
	if !ok || pointer != "" && pointer[0] != '/' {
		return "", `must be json: and a JSON Pointer, for example "json:/customer/id"`
	}
	for i := 0; i < len(pointer); i++ {
		if pointer[i] == '~' && (i+1 == len(pointer) || pointer[i+1] != '0' && pointer[i+1] != '1') {
			return "", "in a JSON Pointer, ~ is written ~0, and / within a name ~1"
		}
	}
	return pointer, ""
}

func (r *resolver) headersFrom(t *tableFile, s settings) []From {
	const name = "header.from"
	g := s.layer[name]
	list, _ := g.value.([]string)
	var out []From
	for _, text := range list {
		header, source, _ := strings.Cut(text, "=")
		pointer, rule := pointerOf(source)
		if header == "" || rule != "" {
			r.failTopic(t, name, g, fmt.Sprintf("%q: must be the name of a header, =json: and a JSON Pointer", text))
			return nil
		}
		out = append(out, From{Name: header, Pointer: pointer})
	}
	return out
}
