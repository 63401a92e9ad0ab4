package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/dlt"
	"sluice/gateway/schema"
)

// maxCodedLine is the longest line that encode and decode read.
const maxCodedLine = 64 << 20

func schemaEncodeCommand() *cobra.Command {
	var d schemaDesk
	var w wantedSchema
	as := "base64"
	cmd := &cobra.Command{
		Use:   "encode SUBJECT|TOPIC|ID",
		Short: "Write JSON values from stdin with a schema",
		Long: `Each line of stdin is a value; or all of it is one, if its first line is the beginning of a longer one. For each a line is printed with what would be in the record, the frame of the registry included;
with --as raw there is one value, and its bytes are printed. Nothing is sent. A value that does not fit is an error that names the place.`,
		Example: `  echo '{"id":1}' | sluice schema encode orders`,
		Args:    betweenArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if as != "base64" && as != "hex" && as != "raw" {
				return usageError{fmt.Errorf("--as %q: it must be base64, hex or raw", as)}
			}
			w.name = args[0]
			return d.open(cmd, func(ctx context.Context) error {
				s, o, err := d.find(ctx, &w)
				if err != nil {
					return err
				}
				with, err := d.registry.NewSelection(s, w.part(), o)
				if err != nil {
					return err
				}
				return eachValue(cmd.InOrStdin(), as == "raw", func(line []byte) error {
					out, bad := with.Encode(nil, line)
					if bad != nil {
						return bad
					}
					return d.tellEncoded(cmd, as, with, out)
				})
			})
		},
	}
	d.flags(cmd)
	w.flags(cmd)
	cmd.Flags().StringVar(&as, "as", as, "print `base64`, hex or raw")
	return cmd
}

func (d *schemaDesk) tellEncoded(cmd *cobra.Command, as string, with *schema.Selection, out []byte) error {
	if as == "raw" && !d.asJSON {
		_, err := cmd.OutOrStdout().Write(out)
		return err
	}
	text := base64.StdEncoding.EncodeToString(out)
	if as == "hex" {
		text = hex.EncodeToString(out)
	}
	if d.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"schema_id": with.ID, "subject": with.Subject, as: text})
	}
	fmt.Fprintln(cmd.OutOrStdout(), text)
	return nil
}

// eachValue is eachLine for JSON. If the first line is only the beginning of a value, all of r may be one.
func eachValue(r io.Reader, whole bool, do func([]byte) error) error {
	if whole {
		return eachLine(r, true, do)
	}
	in := bufio.NewReader(r)
	line, err := in.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	first := bytes.TrimSpace(line)
	if len(first) == 0 || first[0] != '{' && first[0] != '[' || json.Valid(first) {
		return eachLine(io.MultiReader(bytes.NewReader(line), in), false, do)
	}
	rest, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	all := slices.Concat(line, rest)
	return eachLine(bytes.NewReader(all), json.Valid(all), do)
}

// eachLine calls do with the lines of r that hold something, or with all of it.
func eachLine(r io.Reader, whole bool, do func([]byte) error) error {
	if whole {
		all, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		return do(all)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxCodedLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := do(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

func schemaDecodeCommand() *cobra.Command {
	var d schemaDesk
	var brokers []string
	limit, as := 0, "base64"
	cmd := &cobra.Command{
		Use:   "decode [TOPIC [PARTITION@OFFSET]]",
		Short: "Read records of a topic, or values from stdin, with their schemas",
		Long: `Each record is printed as a line of JSON. The cluster is that of the configuration; with the embedded broker, the one of the gateway
that runs. A topic is read up to where it ends when the command begins. A key or value without the frame of the registry is printed as
text, or in base64 if it is none.

Without a topic the values are read from stdin: one in each line, in base64 or hex, or a single one as it is (--as raw).`,
		Example: `  sluice schema decode orders
  kcat -C -b localhost:9092 -t orders -c 1 -D '' | sluice schema decode --as raw`,
		Args: betweenArgs(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if as != "base64" && as != "hex" && as != "raw" {
				return usageError{fmt.Errorf("--as %q: it must be base64, hex or raw", as)}
			}
			if limit < 0 {
				return usageError{fmt.Errorf("--limit %d: it must not be negative", limit)}
			}
			return d.open(cmd, func(ctx context.Context) error {
				if len(args) == 0 {
					return d.decodeInput(ctx, cmd, as)
				}
				return d.decodeTopic(ctx, cmd, brokers, args, limit)
			})
		},
	}
	d.flags(cmd)
	cmd.Flags().StringSliceVar(&brokers, "brokers", nil, "`host:port` of brokers, instead of bootstrap.servers")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many records; 0 is all")
	cmd.Flags().StringVar(&as, "as", as, "what stdin holds: `base64`, hex or raw")
	return cmd
}

func (d *schemaDesk) decodeInput(ctx context.Context, cmd *cobra.Command, as string) error {
	return eachLine(cmd.InOrStdin(), as == "raw", func(line []byte) error {
		framed, err := uncoded(as, line)
		if err != nil {
			return err
		}
		out, s, err := d.registry.Decode(ctx, nil, framed, schema.DefaultOptions(d.cfg.Schema))
		if err != nil {
			return err
		}
		if d.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"schema_id": s.ID, "type": s.Format.Name(), "value": json.RawMessage(out)})
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", out)
		return nil
	})
}

func uncoded(as string, line []byte) ([]byte, error) {
	switch as {
	case "raw":
		return line, nil
	case "hex":
		out, err := hex.AppendDecode(nil, line)
		if err != nil {
			err = fmt.Errorf("it is not in hexadecimal (--as hex): %w", err)
		}
		return out, err
	default:
		out, err := base64.StdEncoding.AppendDecode(nil, line)
		if err != nil {
			err = fmt.Errorf("it is not in base64; there are --as hex and --as raw: %w", err)
		}
		return out, err
	}
}

// decodedRecord is a record as it is printed. The members of a part that has no frame are *_text or *_base64.
type decodedRecord struct {
	Partition     int32           `json:"partition"`
	Offset        int64           `json:"offset"`
	KeySchemaID   int             `json:"key_schema_id,omitempty"`
	Key           json.RawMessage `json:"key"`
	KeyBase64     string          `json:"key_base64,omitempty"`
	ValueSchemaID int             `json:"value_schema_id,omitempty"`
	Value         json.RawMessage `json:"value"`
	ValueBase64   string          `json:"value_base64,omitempty"`
	Error         string          `json:"error,omitempty"`
}

func (d *schemaDesk) decodeTopic(ctx context.Context, cmd *cobra.Command, brokers, args []string, limit int) error {
	var at *dlt.Position
	if len(args) == 2 {
		p, err := dlt.ParsePosition(args[1])
		if err != nil {
			return usageError{err}
		}
		at = &p
		if limit == 0 {
			limit = 1
		}
	}
	k := d.cfg.Kafka
	if len(brokers) > 0 {
		k.Bootstrap = brokers
	} else if k.IsEmbedded() {
		k.Bootstrap = []string{d.cfg.Embedded.Listen}
	}
	cluster, err := dlt.Connect(ctx, k)
	if err != nil {
		return err
	}
	defer cluster.Close()
	cluster.Tell = func(format string, args ...any) { progress(cmd.ErrOrStderr(), format, args...) }
	read, failed := 0, 0
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	err = cluster.Read(ctx, args[0], at, limit, func(at dlt.Position, key, value []byte) error {
		read++
		out := decodedRecord{Partition: at.Partition, Offset: at.Offset}
		var keyErr, valueErr error
		out.Key, out.KeyBase64, out.KeySchemaID, keyErr = d.decodePart(ctx, key)
		out.Value, out.ValueBase64, out.ValueSchemaID, valueErr = d.decodePart(ctx, value)
		if err := errors.Join(keyErr, valueErr); err != nil {
			out.Error = err.Error()
			failed++
		}
		return enc.Encode(out)
	})
	if err == nil && at != nil && read == 0 {
		err = fmt.Errorf("topic %q has no record at %v", args[0], at)
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d records could not be decoded", failed)
	}
	return err
}

// decodePart is the JSON of a key or value, or its bytes in base64 if it has a frame that is of no use.
func (d *schemaDesk) decodePart(ctx context.Context, p []byte) (value json.RawMessage, bytes64 string, id int, err error) {
	if p == nil {
		return json.RawMessage("null"), "", 0, nil
	}
	if _, _, framed := schema.ParseFrame(p); framed {
		out, s, err := d.registry.Decode(ctx, nil, p, schema.DefaultOptions(d.cfg.Schema))
		if err == nil {
			return out, "", s.ID, nil
		}
		return nil, base64.StdEncoding.EncodeToString(p), 0, err
	}
	return plainPart(p)
}

func plainPart(p []byte) (value json.RawMessage, bytes64 string, id int, err error) {
	if json.Valid(p) {
		return p, "", 0, nil
	}
	text, err := json.Marshal(string(p))
	if back := ""; err == nil && json.Unmarshal(text, &back) == nil && back == string(p) {
		return text, "", 0, nil
	}
	return nil, base64.StdEncoding.EncodeToString(p), 0, nil
}
