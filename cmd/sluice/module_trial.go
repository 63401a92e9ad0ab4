package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/admin"
	"sluice/wasmhost"
)

// trialFlags are the flags of try and test.
type trialFlags struct {
	in, config, hook, topic, now string
	partitions                   int32
	routes                       []string
}

func (f *trialFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.in, "in", "", "`file` of records, one a line as for "+typeLines+"; - is stdin")
	cmd.Flags().StringVar(&f.config, "config", "", "`file` of the configuration, or the JSON itself")
	cmd.Flags().StringVar(&f.hook, "hook", "", "`hook` to run: on_send, partition or on_ack")
	cmd.Flags().StringVar(&f.topic, "topic", "orders", "`topic` that the module is told it serves")
	cmd.Flags().Int32Var(&f.partitions, "partitions", 3, "`how many` partitions the topic has")
	cmd.Flags().StringSliceVar(&f.routes, "routes", nil, "`topics` that the module may route to; all if not given")
	cmd.Flags().StringVar(&f.now, "now", "", "the `time` that the module is told: RFC 3339, or milliseconds since 1970")
}

// trial is what the flags say, without records.
func (f *trialFlags) trial() (admin.Trial, error) {
	t := admin.Trial{Hook: f.hook, Topic: f.topic, Partitions: &f.partitions, Routes: f.routes}
	var err error
	if t.Now, err = parseNow(f.now); err != nil {
		return t, err
	}
	if f.partitions < 1 {
		return t, usageError{fmt.Errorf("--partitions %d: it must be at least 1", f.partitions)}
	}
	if f.config == "" {
		return t, nil
	}
	config := f.config
	if !strings.HasPrefix(strings.TrimSpace(config), "{") {
		config = "@" + strings.TrimPrefix(config, "@")
	}
	t.Config, err = readConfig(config)
	return t, err
}

func parseNow(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms > 0 {
		return ms, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.UnixMilli() <= 0 {
		return 0, usageError{fmt.Errorf("--now %q: it must be a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970", text)}
	}
	return at.UnixMilli(), nil
}

// readRecords reads the lines of a file, and the records that they are.
func readRecords(file string, stdin io.Reader) ([]byte, []wasmhost.Record, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(stdin)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, nil, err
	}
	records, err := admin.Records(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(records) == 0 {
		return nil, nil, fmt.Errorf("%s: there are no records in it", file)
	}
	return text, records, nil
}

// withRecords is a trial as JSON, with the lines as they are: a value is what was written, white space and all.
func withRecords(t admin.Trial, lines []byte) ([]byte, error) {
	const none = `"records":null}`
	t.Records = nil
	head, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	head, ok := bytes.CutSuffix(head, []byte(none))
	if !ok {
		return nil, errors.New("records are not the last field of a trial")
	}
	body := append(head, `"records":[`...)
	first := true
	for line := range bytes.Lines(lines) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if !first {
			body = append(body, ',')
		}
		first = false
		body = append(body, line...)
	}
	return append(body, "]}"...), nil
}
