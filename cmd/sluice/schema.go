package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/gateway/schema"
)

func schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Look at schemas of the registry, register and try them",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see sluice schema --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(schemaShowCommand(), schemaRegisterCommand(), schemaCheckCommand(), schemaEncodeCommand(), schemaDecodeCommand())
	return cmd
}

// schemaDesk is what all commands for schemas share.
type schemaDesk struct {
	file   string
	urls   []string
	asJSON bool

	cfg      *config.Config
	registry *schema.Registry
}

func (d *schemaDesk) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&d.file, "config", "c", defaultConfig, "configuration `file`")
	cmd.Flags().StringSliceVar(&d.urls, "registry", nil, "`URL` of the registry, instead of schema.registry.url")
	cmd.Flags().BoolVar(&d.asJSON, "json", false, "print JSON")
}

// open reads the configuration and runs do with the registry. An embedded one is that of the gateway that runs.
func (d *schemaDesk) open(cmd *cobra.Command, do func(ctx context.Context) error) error {
	var err error
	if d.cfg, err = loadConfig(d.file, cmd.Flags().Changed("config")); err != nil {
		return err
	}
	s := d.cfg.Schema
	switch {
	case len(d.urls) > 0:
		s.URLs = d.urls
	case s.IsEmbedded():
		s.URLs = []string{"http://" + s.Listen}
	case len(s.URLs) == 0:
		return errors.New("schema.registry.url is not set in the configuration; set it, or give --registry")
	}
	if d.registry, err = schema.Open(s, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	defer d.registry.Close()
	ctx, cancel := untilSignal(cmd)
	defer cancel()
	return do(ctx)
}

// topicPart is the flag that chooses keys instead of values.
func topicPart(key bool) string {
	if key {
		return schema.Key
	}
	return schema.Value
}

// find is the schema that a name on the command line means: an id, a topic of the configuration that has a schema, or a subject.
func (d *schemaDesk) find(ctx context.Context, name string, version int, part string) (*schema.Schema, error) {
	if id, err := strconv.Atoi(name); err == nil && id > 0 {
		return d.registry.ByID(ctx, id)
	}
	t, ok := d.cfg.Topic(name)
	if !ok || version > 0 {
		return d.registry.Version(ctx, name, version)
	}
	s, has, err := d.registry.TopicSelector(&t, part)
	switch {
	case err != nil:
		return nil, err
	case !has:
		return d.registry.Version(ctx, name, version)
	}
	s.Create = false // who looks changes nothing
	selected, err := d.registry.Select(ctx, &s)
	if err != nil {
		return nil, err
	}
	return selected.Schema(), nil
}

// shownSchema is a schema as --json prints it.
type shownSchema struct {
	ID         int                    `json:"id"`
	Subject    string                 `json:"subject,omitempty"`
	Version    int                    `json:"version,omitempty"`
	Type       string                 `json:"type"`
	Record     string                 `json:"record,omitempty"`
	Schema     string                 `json:"schema"`
	References []shownSchemaReference `json:"references,omitempty"`
	Error      string                 `json:"error,omitempty"` // why it cannot be written with
}

type shownSchemaReference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

func (d *schemaDesk) shown(s *schema.Schema) shownSchema {
	out := shownSchema{ID: s.ID, Subject: s.Subject, Version: s.Version, Type: s.Format.Name(), Schema: s.Text}
	for _, r := range s.References {
		out.References = append(out.References, shownSchemaReference{r.Name, r.Subject, r.Version})
	}
	c, err := s.Codec(schema.DefaultOptions(d.cfg.Schema))
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Record = c.RecordName()
	return out
}

func schemaShowCommand() *cobra.Command {
	var d schemaDesk
	var version int
	var key bool
	cmd := &cobra.Command{
		Use:   "show SUBJECT|TOPIC|ID",
		Short: "Show a schema",
		Long: `Show the schema of a subject, of the values of a topic in the configuration, or the one with an id. Without --version it is the
one that is written with.`,
		Args: betweenArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.open(cmd, func(ctx context.Context) error {
				s, err := d.find(ctx, args[0], version, topicPart(key))
				if err != nil {
					return err
				}
				shown := d.shown(s)
				if d.asJSON {
					return writeJSON(cmd, shown)
				}
				where := ""
				if shown.Subject != "" {
					where = fmt.Sprintf("subject %s, ", shown.Subject)
				}
				if shown.Version > 0 {
					where += fmt.Sprintf("version %d, ", shown.Version)
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "%sid %d, %s %s\n", where, shown.ID, shown.Type, shown.Record)
				for _, r := range shown.References {
					fmt.Fprintf(cmd.ErrOrStderr(), "refers to %s: subject %s, version %d\n", r.Name, r.Subject, r.Version)
				}
				if shown.Error != "" {
					fmt.Fprintln(cmd.ErrOrStderr(), "note:", shown.Error)
				}
				fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSuffix(shown.Schema, "\n"))
				return nil
			})
		},
	}
	d.flags(cmd)
	cmd.Flags().IntVar(&version, "version", 0, "this `version` of the subject")
	cmd.Flags().BoolVar(&key, "key", false, "of a topic, the schema of its keys")
	return cmd
}

func writeJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// schemaFile is a schema in a file, with what the command line says of it.
type schemaFile struct {
	format string
	refs   []string
}

func (f *schemaFile) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "type", "", "`format` of the schema: avro, protobuf or jsonschema; else .proto is protobuf, .avsc avro, and JSON that has a $schema or no Avro type jsonschema")
	cmd.Flags().StringArrayVar(&f.refs, "reference", nil, "`name=subject:version` of a schema that it refers to; may be given several times")
}

func (f *schemaFile) read(path string) (format schema.Format, text string, refs []config.SchemaReference, err error) {
	for _, ref := range f.refs {
		one, ok := config.ParseSchemaReference(ref)
		if !ok {
			return 0, "", nil, usageError{fmt.Errorf("--reference %q: it must be name=subject:version", ref)}
		}
		refs = append(refs, one)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, "", nil, err
	}
	name := f.format
	if name == "" {
		name = guessFormat(path, data)
	}
	format, ok := schema.ParseFormat(name)
	if !ok || format != schema.Avro && format != schema.Protobuf && format != schema.JSONSchema {
		return 0, "", nil, usageError{fmt.Errorf("--type %q: it must be avro, protobuf or jsonschema", name)}
	}
	return format, string(data), refs, nil
}

func guessFormat(path string, data []byte) string {
	switch filepath.Ext(path) {
	case ".proto":
		return config.SerializerProtobuf
	case ".avsc":
		return config.SerializerAvro
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return config.SerializerAvro // a name, or a union
	}
	if _, named := object["name"]; named || object["items"] != nil && object["$schema"] == nil && string(object["type"]) != `"object"` {
		return config.SerializerAvro
	}
	return config.SerializerJSONSchema
}
