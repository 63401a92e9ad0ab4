package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/gateway/schema"
	"sluice/gateway/schema/codec"
)

// wantedSchema is what the command line says of the schema that is meant.
type wantedSchema struct {
	name    string // an id, a topic of the configuration, or a subject
	version int
	key     bool   // of a topic, the keys
	message string // of Protobuf
}

func (w *wantedSchema) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&w.version, "version", 0, "this `version` of the subject")
	cmd.Flags().BoolVar(&w.key, "key", false, "of a topic, the schema of its keys")
	cmd.Flags().StringVar(&w.message, "message", "", "of a Protobuf schema, the message of this `name`; the topic's, or the first, if it is not given")
}

// part is that of the record.
func (w *wantedSchema) part() string {
	if w.key {
		return schema.Key
	}
	return schema.Value
}

// find is the schema that is meant, with the options that it is written with.
func (d *schemaDesk) find(ctx context.Context, w *wantedSchema) (*schema.Schema, codec.Options, error) {
	o := schema.DefaultOptions(d.cfg.Schema)
	s, err := d.findWith(ctx, w, &o)
	if w.message != "" {
		o.Message = w.message
	}
	return s, o, err
}

func (d *schemaDesk) findWith(ctx context.Context, w *wantedSchema, o *codec.Options) (*schema.Schema, error) {
	if id, err := strconv.Atoi(w.name); err == nil && id > 0 {
		return d.registry.ByID(ctx, id)
	}
	t, isTopic := d.cfg.Topic(w.name)
	if !isTopic {
		return d.registry.Version(ctx, w.name, w.version)
	}
	selector, has, err := d.registry.TopicSelector(&t, w.part())
	if err != nil {
		return nil, err
	}
	if !has {
		s, err := d.registry.Version(ctx, w.name, w.version)
		if isMissing(err) && t.Table == w.name {
			err = fmt.Errorf("topic %s is written without a schema of its own: %s.serializer = %q; name a subject or an id (%w)", w.name, w.part(), serializerOf(&t, w.part()), err)
		}
		return s, err
	}
	*o = selector.Options
	s, err := d.ofTopic(ctx, &selector, w.version)
	if isMissing(err) && t.Table != w.name { // the pattern of a table fits names of subjects, too
		if other, bad := d.registry.Version(ctx, w.name, w.version); bad == nil {
			*o = schema.DefaultOptions(d.cfg.Schema)
			return other, nil
		}
	}
	return s, err
}

// ofTopic is the schema that a topic is written with, or a version of its subject.
func (d *schemaDesk) ofTopic(ctx context.Context, s *schema.Selector, version int) (*schema.Schema, error) {
	s.Create = false // who looks changes nothing
	if version > 0 {
		subject := s.Subject
		if s.Text != "" {
			var err error
			if subject, err = d.registry.SubjectOf(ctx, s); err != nil {
				return nil, err
			}
		}
		return d.registry.Version(ctx, subject, version)
	}
	selected, err := d.registry.Select(ctx, s)
	if err != nil {
		return nil, err
	}
	return selected.Schema(), nil
}

func isMissing(err error) bool {
	r, ok := errors.AsType[*schema.RegistryError](err)
	return ok && r.Status == 404
}

func serializerOf(t *config.Topic, part string) string {
	s := t.Value
	if part == schema.Key {
		s = t.Key
	}
	if s == nil {
		return config.SerializerRaw
	}
	return s.Name
}

// shownSchema is a schema as --json prints it.
type shownSchema struct {
	ID          int                    `json:"id"`
	Subject     string                 `json:"subject,omitempty"`
	Version     int                    `json:"version,omitempty"`
	Type        string                 `json:"type"`
	Record      string                 `json:"record,omitempty"`
	Schema      string                 `json:"schema"`
	References  []shownSchemaReference `json:"references,omitempty"`
	Description *codec.Description     `json:"description,omitempty"`
	Error       string                 `json:"error,omitempty"` // why it cannot be written with
}

type shownSchemaReference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

func shown(s *schema.Schema, o codec.Options) shownSchema {
	out := shownSchema{ID: s.ID, Subject: s.Subject, Version: s.Version, Type: s.Format.Name(), Schema: s.Text}
	for _, r := range s.References {
		out.References = append(out.References, shownSchemaReference{r.Name, r.Subject, r.Version})
	}
	c, err := s.Codec(o)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Record = c.RecordName()
	if d, err := s.Describe(o); err == nil {
		out.Description = &d
	}
	return out
}

func schemaShowCommand() *cobra.Command {
	var d schemaDesk
	var w wantedSchema
	cmd := &cobra.Command{
		Use:   "show SUBJECT|TOPIC|ID",
		Short: "Show a schema",
		Long: `Show the schema of a subject, of the values of a topic in the configuration, or the one with an id. Without --version it is the
one that is written with. The schema goes to standard output; what it says, as the gateway understands it, to standard error.`,
		Args: betweenArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w.name = args[0]
			return d.open(cmd, func(ctx context.Context) error {
				s, o, err := d.find(ctx, &w)
				if err != nil {
					return err
				}
				if w.message != "" { // which may not be there
					if _, err := s.Codec(o); err != nil {
						return err
					}
				}
				if d.asJSON {
					return writeJSON(cmd, shown(s, o))
				}
				tellSchema(cmd.ErrOrStderr(), shown(s, o))
				fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSuffix(s.Text, "\n"))
				return nil
			})
		},
	}
	d.flags(cmd)
	w.flags(cmd)
	return cmd
}

// tellSchema writes all but the schema itself.
func tellSchema(w io.Writer, s shownSchema) {
	where := ""
	if s.Subject != "" {
		where = fmt.Sprintf("subject %s, ", s.Subject)
	}
	if s.Version > 0 {
		where += fmt.Sprintf("version %d, ", s.Version)
	}
	fmt.Fprintf(w, "%sid %d, %s %s\n", where, s.ID, s.Type, s.Record)
	for _, r := range s.References {
		fmt.Fprintf(w, "refers to %s: subject %s, version %d\n", r.Name, r.Subject, r.Version)
	}
	if s.Error != "" {
		fmt.Fprintln(w, "note:", s.Error)
	}
	if d := s.Description; d != nil {
		tellDescription(w, d)
	}
}

func tellDescription(w io.Writer, d *codec.Description) {
	if d.Draft != "" {
		fmt.Fprintln(w, "draft", d.Draft)
	}
	for _, m := range d.Messages {
		fmt.Fprintf(w, "message %s: indexes %s\n", m.Name, strings.Trim(strings.ReplaceAll(fmt.Sprint(m.Indexes), " ", ","), "[]"))
	}
	fmt.Fprintln(w, "a value is", d.Type)
	tellFields(w, d.Fields, "  ")
}

func tellFields(w io.Writer, fields []codec.Field, indent string) {
	longest := 0
	for _, f := range fields {
		longest = max(longest, len(f.Name))
	}
	for _, f := range fields {
		text := fmt.Sprintf("%s%-*s  %s", indent, longest, f.Name, f.Type)
		if f.Required {
			text += ", required"
		}
		if f.Note != "" {
			text += ", " + f.Note
		}
		fmt.Fprintln(w, text)
		tellFields(w, f.Fields, indent+"  ")
	}
}

func writeJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
