package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway"
	"sluice/gateway/schema"
)

func schemaRegisterCommand() *cobra.Command {
	var d schemaDesk
	var f schemaFile
	cmd := &cobra.Command{
		Use:   "register SUBJECT FILE",
		Short: "Put a schema into a subject",
		Long:  "Compile a schema and put it into a subject. One that is there already is not put there again. Prints its id.",
		Example: `  sluice schema register orders-value order.avsc
  sluice schema register orders-value order.proto --reference customer.proto=customer:1`,
		Args: betweenArgs(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.open(cmd, func(ctx context.Context) error {
				format, text, refs, err := f.read(args[1])
				if err != nil {
					return err
				}
				if err := d.registry.Compiles(ctx, format, text, schema.References(refs)); err != nil {
					return fmt.Errorf("%s: %w", args[1], err)
				}
				id, err := d.registry.RegisterText(ctx, args[0], format, text, refs)
				if err != nil {
					return err
				}
				if d.asJSON {
					return writeJSON(cmd, map[string]any{"subject": args[0], "id": id})
				}
				fmt.Fprintln(cmd.OutOrStdout(), id)
				return nil
			})
		},
	}
	d.flags(cmd)
	f.flags(cmd)
	return cmd
}

// checkedSchema is what schema check found, as --json prints it.
type checkedSchema struct {
	Name   string   `json:"name"` // of a topic with its part, or of a subject
	ID     int      `json:"id,omitempty"`
	OK     bool     `json:"ok"`
	Errors []string `json:"errors,omitempty"`
}

func schemaCheckCommand() *cobra.Command {
	var d schemaDesk
	var f schemaFile
	cmd := &cobra.Command{
		Use:   "check [SUBJECT FILE]",
		Short: "Check the schemas of the configuration, or whether one may become the next version of a subject",
		Long: `Without arguments: whether the schemas of all topics in the configuration are there and compile. What is to be registered
(auto.register.schemas) is only compiled, and compared with what is there.

With a subject and a file: whether the schema compiles, and whether the registry would take it as the next version.`,
		Args: betweenArgs(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return usageError{errors.New("too few arguments: a subject goes with a file")}
			}
			return d.open(cmd, func(ctx context.Context) error {
				if d.embedded {
					fmt.Fprintln(cmd.ErrOrStderr(), "note: the embedded registry takes every schema; whether one is compatible, only another registry tells")
				}
				var all []checkedSchema
				if len(args) == 2 {
					one, err := d.checkFile(ctx, &f, args[0], args[1])
					if err != nil {
						return err
					}
					all = append(all, one)
				} else {
					all = d.checkTopics(ctx)
				}
				return d.tellChecked(cmd, all)
			})
		},
	}
	d.flags(cmd)
	f.flags(cmd)
	return cmd
}

func (d *schemaDesk) checkFile(ctx context.Context, f *schemaFile, subject, path string) (checkedSchema, error) {
	out := checkedSchema{Name: subject}
	format, text, refs, err := f.read(path)
	if err != nil {
		return out, err
	}
	if err := d.registry.Compiles(ctx, format, text, schema.References(refs)); err != nil {
		out.Errors = append(out.Errors, err.Error())
		return out, nil
	}
	ok, why, err := d.registry.Compatible(ctx, subject, format, text, schema.References(refs))
	if r, is := errors.AsType[*schema.RegistryError](err); is && r.Status == 404 {
		ok, why, err = true, nil, nil // the first version of a subject is compatible
	}
	if err != nil {
		return out, err
	}
	out.OK = ok
	if !ok && len(why) == 0 {
		why = []string{"the registry says that it is not compatible, and not why"}
	}
	out.Errors = why
	return out, nil
}

func (d *schemaDesk) checkTopics(ctx context.Context) []checkedSchema {
	found := gateway.CheckSchemas(ctx, d.cfg, d.registry)
	all := make([]checkedSchema, 0, len(found))
	for _, c := range found {
		one := checkedSchema{Name: c.Topic + " " + c.Part, ID: c.ID, OK: c.Err == nil}
		if c.Err != nil {
			one.Errors = []string{c.Err.Error()}
		}
		all = append(all, one)
	}
	return all
}

func (d *schemaDesk) tellChecked(cmd *cobra.Command, all []checkedSchema) error {
	failed := 0
	for _, c := range all {
		if !c.OK {
			failed++
		}
	}
	if d.asJSON {
		if err := writeJSON(cmd, append([]checkedSchema{}, all...)); err != nil {
			return err
		}
	} else {
		for _, c := range all {
			switch {
			case !c.OK:
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", c.Name, strings.Join(c.Errors, "; "))
			case c.ID > 0:
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, id %d\n", c.Name, c.ID)
			default:
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", c.Name)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d schemas cannot be used", failed, len(all))
	}
	return nil
}
