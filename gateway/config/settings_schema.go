package config

import (
	"math"
	"strings"
)

// What key.serializer and value.serializer may be.
const (
	SerializerRaw        = "raw"
	SerializerString     = "string"
	SerializerJSON       = "json"
	SerializerAvro       = "avro"
	SerializerProtobuf   = "protobuf"
	SerializerJSONSchema = "jsonschema"
	SerializerFramed     = "confluent-framed"
)

// What framed.verify may be.
const (
	VerifyValue = "value"
	VerifyID    = "id"
)

func serializerNames() []string {
	return []string{SerializerRaw, SerializerString, SerializerJSON, SerializerAvro, SerializerProtobuf, SerializerJSONSchema, SerializerFramed}
}

// The subject name strategies.
const (
	StrategyTopicName       = "TOPIC_NAME"
	StrategyRecordName      = "RECORD_NAME"
	StrategyTopicRecordName = "TOPIC_RECORD_NAME"
)

// strategies are the names that REST clients use, and Confluent's classes.
func strategies() map[string]string {
	const class = "io.confluent.kafka.serializers.subject."
	return map[string]string{
		StrategyTopicName: StrategyTopicName, StrategyRecordName: StrategyRecordName, StrategyTopicRecordName: StrategyTopicRecordName,
		class + "TopicNameStrategy": StrategyTopicName, class + "RecordNameStrategy": StrategyRecordName,
		class + "TopicRecordNameStrategy": StrategyTopicRecordName,
	}
}

func strategyNames() []string {
	const class = "io.confluent.kafka.serializers.subject."
	return []string{
		StrategyTopicName, StrategyRecordName, StrategyTopicRecordName,
		class + "TopicNameStrategy", class + "RecordNameStrategy", class + "TopicRecordNameStrategy",
	}
}

// serializerSettings are the keys of [topics.*] about step 2: what is written of what was sent.
func serializerSettings() []Setting {
	all := append(partSettings("key"), partSettings("value")...)
	return append(all,
		topicFlag("auto.register.schemas", "Register the schema of key.schema.file and value.schema.file if their subject does not have it. If false, it must be there.",
			"Confluent's default is true: a gateway should not change a registry unasked."),
		topicFlag("use.latest.version", "Write with the latest version of the subject. That is done anyway if no schema is given, so it is only refused beside one.", ""),
		topicFlag("normalize.schemas", "Have the registry compare schemas in their normal form when they are looked up or registered.", ""),
		Setting{
			Section: "topics", Name: "key.from", Type: String, Support: Works,
			Doc: "Take the key of records that have none out of their value: json: and a JSON Pointer, as \"json:/customer/id\". Text is the key without quotes; " +
				"another value is its JSON. What is not there, or null, is no key.",
		},
		Setting{
			Section: "topics", Name: "timestamp.from", Type: String, Support: Works,
			Doc: "Take the timestamp of records that have none out of their value, as key.from: milliseconds since 1970, or a string of RFC 3339. What is not there leaves it to the gateway.",
		},
		Setting{
			Section: "topics", Name: "header.from", Type: Strings, Support: Works,
			Doc: "Headers that are taken out of the value, as key.from: [\"tenant=json:/tenant\"]. A header of that name that was sent is kept instead.",
		},
	)
}

func topicFlag(name, doc, differs string) Setting {
	return Setting{Section: "topics", Name: name, Type: Bool, Doc: doc, Differs: differs, Support: Works}
}

// partSettings are the keys of one part of a record, key or value.
func partSettings(part string) []Setting {
	what := strings.ToUpper(part[:1]) + part[1:] + "s"
	row := func(name string, t Type, doc string) Setting {
		return Setting{Section: "topics", Name: part + "." + name, Type: t, Max: maxInt, Support: Works, Doc: doc}
	}
	serializer := row("serializer", Enum, what+" are sent as they come (raw); as text, a JSON string without its quotes (string); as JSON, which is checked "+
		"(json); with a schema of the registry and Confluent's frame before them (avro, protobuf, jsonschema); or must have that frame already, with an id that the registry has (confluent-framed).")
	serializer.Default, serializer.Values = SerializerRaw, serializerNames()
	strategy := row("subject.name.strategy", Enum, "Which subject of the registry: the topic's name with -"+part+" behind it, the full name of the record, or both. Confluent's class names are taken too.")
	strategy.Values = strategyNames()
	verify := row("framed.verify", Enum, "What confluent-framed looks at: that the registry has the id of the frame (id), or also that what is behind the frame can be read with that schema (value, also if nothing is said).")
	verify.Values = []string{VerifyValue, VerifyID}
	id := row("schema.id", Int, "Write with this schema, by its id in the registry.")
	id.Min = 1
	version := row("schema.version", Int, "Write with this version of the subject; the latest if nothing is said.")
	version.Min = 1
	return []Setting{
		serializer,
		row("schema.file", String, "A file with the schema to write with, beside the configuration: it is looked up in its subject, or registered (auto.register.schemas)."),
		id, version,
		row("schema.references", Strings, "What the schema of "+part+".schema.file refers to: [\"name=subject:version\"], in the registry."),
		row("schema.message", String, "The message of a Protobuf schema that has several, by its full name. The first if it is not given."),
		strategy,
		row("schema.subject", String, "The subject itself, instead of a strategy."),
		row("schema.ignore.unknown", Bool, "Leave out members that the schema does not have. If false, such a record is refused: what was sent must not vanish unseen."),
		row("schema.strict.json", Bool, "Take values in the JSON of their format's specification only: for Avro, dates as numbers and decimals as bytes."),
		verify,
		row("json.compact", Bool, "With json and jsonschema: leave out white space between tokens. If false, JSON is written as it was sent."),
	}
}

// schemaSettings are the keys of [schema].
func schemaSettings() []Setting {
	text := func(name, doc string) Setting {
		return Setting{Section: "schema", Name: name, Type: String, Support: Works, Doc: doc}
	}
	number := func(name string, t Type, def, smallest, largest int64, doc string, into func(*Schema) any) Setting {
		return Setting{
			Section: "schema", Name: name, Type: t, Default: def, Min: smallest, Max: largest, Doc: doc, Support: Works,
			into: func(t target) any { return into(&t.c.Schema) },
		}
	}
	all := []Setting{{
		Section: "schema", Name: "registry.url", Type: Strings, Support: Works,
		Doc:  `Schema registries, of which the next is asked if one cannot be reached or fails; or "embedded": one for trying out, in this process.`,
		into: func(t target) any { return &t.c.Schema.URLs },
	}}
	all = append(all, registryLogin()...)
	for _, s := range append(tlsSettings(), keystoreSettings()...) { // the same keys as the brokers', with Confluent's prefix
		s.Section, s.Name, s.Java, s.Support = "schema", "registry."+s.Name, false, Works
		s.Doc = strings.ReplaceAll(strings.ReplaceAll(s.Doc, "brokers' certificates", "registry's certificate"), "brokers' names are", "registry's name is")
		s.Doc = strings.ReplaceAll(s.Doc, "if ssl.", "if registry.ssl.")
		s.into = registryTLS(s.Name)
		all = append(all, s)
	}
	listen := text("embedded.listen", "Where the embedded registry listens, host:port.")
	listen.Default, listen.into = "127.0.0.1:8085", func(t target) any { return &t.c.Schema.Listen }
	all = append(all,
		number("registry.request.timeout.ms", Millis, 5000, 1, maxMs, "How long one request to the registry may take; then the next URL is asked.",
			func(s *Schema) any { return &s.RequestTimeout }),
		number("latest.cache.ttl.ms", Millis, 60000, 1, maxMs, "How long the latest version of a subject is used before it is asked for again, beside the records. If the registry does not answer, what is known goes on.",
			func(s *Schema) any { return &s.LatestTTL }),
		number("missing.cache.ttl.ms", Millis, 5000, 1, maxMs, "How long is remembered that the registry did not have a schema, refused one, or did not answer: records that need it fail at once until then.",
			func(s *Schema) any { return &s.MissingTTL }),
		number("cache.size", Int, 1000, 10, 1_000_000, "How many schemas, and as many subjects and registrations, are kept; of more, the one that was not used for the longest time goes.",
			func(s *Schema) any { return &s.CacheSize }),
		number("cache.max.bytes", Bytes, 8<<20, 1024, math.MaxInt32, "The same in bytes of the schemas' texts, with what they refer to. In memory a compiled schema takes 10 to 35 times its text.",
			func(s *Schema) any { return &s.CacheBytes }),
		number("max.bytes", Bytes, 1<<20, 1024, math.MaxInt32, "The largest schema that is read, with what it refers to.",
			func(s *Schema) any { return &s.MaxBytes }),
		number("max.references", Int, 256, 0, 10_000, "How many schemas a schema may need, with those that others need.",
			func(s *Schema) any { return &s.MaxReferences }),
		number("max.depth", Int, 64, 1, 1000, "How deep a value may be nested that a schema is for.",
			func(s *Schema) any { return &s.MaxDepth }),
		number("json.max.depth", Int, 1000, 1, 10_000, "How deep JSON may be nested that no schema is for: with the serializer json, key.from, header.from and timestamp.from. Readers have limits of their own, often 1000.",
			func(s *Schema) any { return &s.MaxJSONDepth }),
	)
	all = append(all, schemaFlag("errors.quote.values", "What does not fit is quoted in errors, up to 40 characters of it: in answers, logs and dead letters. If false, only its kind is told (\"a string\").",
		func(s *Schema) *bool { return &s.QuoteValues }))
	return append(append(all, formatSettings(number)...), listen)
}

func schemaFlag(name, doc string, into func(*Schema) *bool) Setting {
	return Setting{
		Section: "schema", Name: name, Type: Bool, Default: true, Doc: doc, Support: Works,
		into: func(t target) any { return into(&t.c.Schema) },
	}
}

// formatSettings are the keys of [schema] about one format. Schemas beyond them are refused with their name.
func formatSettings(number func(name string, t Type, def, smallest, largest int64, doc string, into func(*Schema) any) Setting) []Setting {
	return []Setting{
		number("protobuf.max.nesting", Int, 64, 1, 64, "How deep the braces and brackets of a Protobuf schema may be nested. protoc takes 32 levels of messages.",
			func(s *Schema) any { return &s.Protobuf.MaxNesting }),
		number("protobuf.max.messages", Int, 10_000, 1, 1_000_000, "How many messages a Protobuf schema may have, with those that it imports.",
			func(s *Schema) any { return &s.Protobuf.MaxMessages }),
		number("protobuf.max.name.bytes", Bytes, 16<<20, 1024, math.MaxInt32, "How long the full names of a Protobuf schema may be together: each repeats the names around it.",
			func(s *Schema) any { return &s.Protobuf.MaxNameBytes }),
		number("protobuf.compile.timeout.ms", Millis, 10_000, 1, maxMs, "How long compiling a Protobuf schema may take.",
			func(s *Schema) any { return &s.Protobuf.CompileTimeout }),
		{
			Section: "schema", Name: "jsonschema.default.draft", Type: Enum, Default: "7", Values: []string{"4", "6", "7", "2019-09", "2020-12"}, Support: Works,
			Doc:  "The draft of a JSON Schema that does not name one with $schema. Confluent's registry and clients take 7.",
			into: func(t target) any { return &t.c.Schema.JSONSchema.Draft },
		},
		schemaFlag("jsonschema.check.format", "Values must have the format that a JSON Schema says, in all drafts. If false, it is a remark, as later drafts have it.",
			func(s *Schema) *bool { return &s.JSONSchema.CheckFormat }),
		number("jsonschema.max.nesting", Int, 200, 1, 1000, "How deep a JSON Schema may be nested.",
			func(s *Schema) any { return &s.JSONSchema.MaxNesting }),
		number("jsonschema.max.objects", Int, 10_000, 1, maxInt, "How many objects a JSON Schema may have, with what it refers to. Compiling it takes time with their square.",
			func(s *Schema) any { return &s.JSONSchema.MaxObjects }),
		number("jsonschema.max.places", Int, 1_000_000, 1, maxInt, "The objects of a JSON Schema times those of them that have an $id, or a $ref to where no schema is expected.",
			func(s *Schema) any { return &s.JSONSchema.MaxPlaces }),
		number("jsonschema.max.pattern", Int, 10_000, 1, maxInt, "How long a regular expression of a JSON Schema may be when it is compiled, in instructions.",
			func(s *Schema) any { return &s.JSONSchema.MaxPattern }),
		number("jsonschema.max.patterns", Int, 100_000, 1, maxInt, "How long all regular expressions of a JSON Schema may be together.",
			func(s *Schema) any { return &s.JSONSchema.MaxPatterns }),
		number("jsonschema.max.matching", Int, 200_000_000, 1, maxInt, "The bytes of a value times the instructions of the longest regular expression of its schema.",
			func(s *Schema) any { return &s.JSONSchema.MaxMatching }),
		number("jsonschema.max.digits", Int, 400, 20, 100_000, "How many digits a number may have when it is written without an exponent, in a JSON Schema and in values for one.",
			func(s *Schema) any { return &s.JSONSchema.MaxDigits }),
		number("jsonschema.max.visits", Int, 2_000, 1, 1_000_000, "How often a JSON Schema may look at one part of a value. One that refers to itself twice doubles that with each level of a value.",
			func(s *Schema) any { return &s.JSONSchema.MaxVisits }),
	}
}

func registryLogin() []Setting {
	row := func(name string, secret bool, doc string, values ...string) Setting {
		s := Setting{Section: "schema", Name: name, Type: String, Secret: secret, Doc: doc, Values: values, Support: Works}
		if values != nil {
			s.Type = Enum
		}
		return s
	}
	return []Setting{
		row("basic.auth.credentials.source", false, "Where user and password of the registry stand: in basic.auth.user.info.", "USER_INFO"),
		row("basic.auth.user.info", true, "User and password of the registry, as user:password."),
		row("bearer.auth.credentials.source", false, "Where the token of the registry stands: in bearer.auth.token.", "STATIC_TOKEN"),
		row("bearer.auth.token", true, "The token of the registry."),
	}
}

// registryTLS is the field of [Schema] for a key of registry.ssl.*; nil if complete makes more of it.
func registryTLS(name string) func(target) any {
	field := map[string]func(*Security) *string{
		"registry.ssl.truststore.location":                 func(s *Security) *string { return &s.TLSCAFile },
		"registry.ssl.keystore.certificate.chain.location": func(s *Security) *string { return &s.TLSCertFile },
		"registry.ssl.keystore.key.location":               func(s *Security) *string { return &s.TLSKeyFile },
		"registry.ssl.server.name":                         func(s *Security) *string { return &s.TLSServerName },
	}[name]
	if field == nil {
		return nil
	}
	return func(t target) any { return field(&t.c.Schema.tls) }
}
