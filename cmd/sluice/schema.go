package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

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

	embedded bool // it asks the embedded registry
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
		s.URLs, d.embedded = []string{"http://" + s.Listen}, true
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
