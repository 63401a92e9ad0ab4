package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"sluice/gateway/config"
	"sluice/gateway/schema"
)

// CheckedSchema is what was found out about the schema of a topic's keys or values.
type CheckedSchema struct {
	Topic string // or the glob of a table
	Part  string // key or value
	ID    int    // 0 if it is not known
	Err   error
	Place config.SerializerPlace
}

// CheckSchemas sees whether the schemas that cfg names are there and compile. It changes nothing: a schema that is to be registered
// is compiled, and if its subject has others, the registry is asked whether it is compatible.
func CheckSchemas(ctx context.Context, cfg *config.Config, registry *schema.Registry) []CheckedSchema {
	var all []CheckedSchema
	for _, table := range cfg.Tables() {
		t, ok := cfg.Topic(table)
		if !ok {
			continue
		}
		if t.Key.Schema() {
			all = append(all, checkSchema(ctx, &t, schema.Key, t.Key, registry))
		}
		if t.Value.Schema() {
			all = append(all, checkSchema(ctx, &t, schema.Value, t.Value, registry))
		}
	}
	return all
}

func checkSchema(ctx context.Context, t *config.Topic, part string, s *config.Serializer, registry *schema.Registry) CheckedSchema {
	c := CheckedSchema{Topic: t.Name, Part: part, Place: s.Place}
	if _, c.Err = schema.NewSerializer(t, registry); c.Err != nil {
		return c
	}
	selector, has, err := registry.TopicSelector(t, part)
	if err != nil || !has { // confluent-framed has none of its own
		c.Err = err
		return c
	}
	if isGlob(t.Name) && strings.Contains(selector.Subject, t.Name) {
		return c // its subjects come with its topics
	}
	c.ID, c.Err = checkSelector(ctx, registry, selector)
	return c
}

func checkSelector(ctx context.Context, registry *schema.Registry, s schema.Selector) (id int, err error) {
	create := s.Create
	s.Create = false
	found, err := registry.Select(ctx, &s)
	if err == nil {
		if found.Format != s.Format {
			return found.ID, fmt.Errorf("the schema with id %d is one of %s, and the serializer is %s", found.ID, found.Format.Name(), s.Format.Name())
		}
		return found.ID, nil
	}
	r, ok := errors.AsType[*schema.RegistryError](err)
	if !create || !ok || r.Status != 404 {
		return 0, err
	}
	subject, err := registry.SubjectOf(ctx, &s)
	if err != nil {
		return 0, err
	}
	fits, why, err := registry.Compatible(ctx, subject, s.Format, s.Text, s.References)
	if r, ok := errors.AsType[*schema.RegistryError](err); ok && r.Status == 404 {
		return 0, nil // it becomes the first version
	}
	if err == nil && !fits {
		err = fmt.Errorf("it is to be registered in subject %q, and is not compatible: %s", subject, strings.Join(why, "; "))
	}
	return 0, err
}

// checkSchemas adds what CheckSchemas finds. Without a registry that answers, schemas cannot be looked at.
func (c *Checked) checkSchemas(ctx context.Context, cfg *config.Config) error {
	s := cfg.Schema
	if s.IsEmbedded() {
		s.URLs = []string{"http://" + s.Listen} // of the gateway that runs
	}
	registry, err := schema.Open(s, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer registry.Close()
	for _, found := range CheckSchemas(ctx, cfg, registry) {
		if found.Err == nil {
			continue
		}
		p := found.Place
		r, ok := errors.AsType[*schema.RegistryError](found.Err)
		if ok && r.Unavailable() {
			c.Notes = append(c.Notes, fmt.Sprintf("%s:%d: %s: the schema was not looked at: %v", p.File, p.Line, p.Key, found.Err))
			continue
		}
		c.Errors = append(c.Errors, &config.Error{File: p.File, Line: p.Line, Key: p.Key, Rule: found.Err.Error()})
	}
	return nil
}

// Check is CheckModules and CheckSchemas together, and looks at the folders of spools, for what a start would find.
func Check(ctx context.Context, cfg *config.Config, newHost NewHostFunc, build bool) (Checked, error) {
	c, err := CheckModules(ctx, cfg, newHost, build)
	if err != nil {
		return c, err
	}
	c.checkSpools(cfg)
	return c, c.checkSchemas(ctx, cfg)
}
