package schema

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
	"sluice/gateway/schema/codec"
)

// TestSelectForOneRecord holds what a dialect that names a schema for each record asks for: by id, by version, by text, or the latest,
// with subjects by each strategy, and what it can tell its client then.
func TestSelectForOneRecord(t *testing.T) {
	f := newFake(t)
	v1, v2 := mustRegister(t, f, "orders-value", orderV1), mustRegister(t, f, "orders-value", orderV2)
	r, _ := open(t, schemaConfig(f.URL()))
	for name, c := range map[string]struct {
		s       Selector
		id      int
		version int
		subject string
	}{
		"latest":             {Selector{}, v2, 2, "orders-value"},
		"version":            {Selector{Version: 1}, v1, 1, "orders-value"},
		"id":                 {Selector{ID: v1}, v1, 0, "orders-value"},
		"id, by record":      {Selector{ID: v1, Strategy: config.StrategyRecordName}, v1, 0, "shop.Order"},
		"id, by topic":       {Selector{ID: v1, Strategy: config.StrategyTopicRecordName}, v1, 0, "orders-shop.Order"},
		"text":               {Selector{Text: orderV1, Format: Avro}, v1, 1, "orders-value"},
		"text, registered":   {Selector{Text: orderV1, Format: Avro, Create: true, Strategy: config.StrategyRecordName}, v1, 0, "shop.Order"},
		"a subject":          {Selector{Subject: "orders-value", Version: 2}, v2, 2, "orders-value"},
		"a key, as a string": {Selector{Part: Key, Text: `"string"`, Format: Avro, Create: true}, v2 + 1, 0, "orders-key"},
	} {
		s := c.s
		s.Topic = "orders"
		if s.Part == "" {
			s.Part = Value
		}
		got, err := r.Select(t.Context(), &s)
		if err != nil || got.ID != c.id || got.Version != c.version || got.Subject != c.subject || got.Format != Avro {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, s := range []Selector{{ID: 99}, {Version: 9}, {Text: orderV1, Format: Avro, Strategy: config.StrategyTopicRecordName}} {
		s.Topic, s.Part = "orders", Value
		_, err := r.Select(t.Context(), &s)
		if e, ok := errors.AsType[*RegistryError](err); !ok || e.Status != 404 || e.Code == 0 {
			t.Errorf("%+v: %v", s, err)
		}
	}
	f.setFail(func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `{"subject":"orders-value","version":3,"id":-1,"schema":"\"int\""}`)
		return true
	})
	for text, s := range map[string]Selector{
		"its answer is of no use: it is version 3":     {Version: 7},
		"its answer is of no use: it has the id -1":    {Version: 3},
		"schema registry was asked for the id of":      {Text: `"int"`, Format: Avro},
		"schema registry was asked for registering a ": {Text: `"int"`, Format: Avro, Create: true},
	} {
		s.Topic, s.Part = "orders", Value
		_, err := r.Select(t.Context(), &s)
		if e, ok := errors.AsType[*RegistryError](err); !ok || !e.Unavailable() || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	f.setFail(nil)
	bad := Selector{Topic: "orders", Part: Value, Text: `{`, Format: Avro}
	if _, err := r.Select(t.Context(), &bad); !errors.As(err, new(*UnusableError)) {
		t.Errorf("%v", err)
	}
}

// TestReferenceCircles holds that schemas which refer to each other do not keep the gateway busy.
func TestReferenceCircles(t *testing.T) {
	f := newFake(t)
	mustRegister(t, f, "a", `{"type":"fixed","name":"A","size":1}`)
	refs := []sr.SchemaReference{{Name: "A", Subject: "a", Version: 1}, {Name: "A2", Subject: "a", Version: 1}, {Name: "A", Subject: "a", Version: 1}}
	r, _ := open(t, schemaConfig(f.URL()))
	made, err := r.newSchema(t.Context(), sr.SubjectSchema{Schema: sr.Schema{Schema: `"A"`, References: refs}})
	if err != nil || len(made.refs) != 2 {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := made.Codec(codec.Options{}); err != nil { // one schema by two names
		t.Error(err)
	}
	many := make([]sr.SchemaReference, r.cfg.MaxReferences+1)
	for i := range many {
		many[i] = sr.SchemaReference{Name: string(rune('A' + i)), Subject: "a", Version: 1}
	}
	if _, err := r.newSchema(t.Context(), sr.SubjectSchema{Schema: sr.Schema{Schema: `"A"`, References: many}}); err == nil || !strings.Contains(err.Error(), "more than 256 schemas (schema.max.references)") {
		t.Errorf("%v", err)
	}
}
