package admin

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"sluice/gateway/guest"
	"sluice/gateway/record"
	"sluice/wasmhost"
)

const (
	maxTryBytes   = 8 << 20
	maxTryRecords = 10_000
)

// Trial is what a version is tried on, as JSON. With the lines of application/vnd.sluice.records+ndjson as the body its other
// fields are parameters of the query.
type Trial struct {
	Hook       string            `json:"hook,omitempty"`       // on_send, partition or on_ack; the first of these that the module has if empty
	Topic      string            `json:"topic,omitempty"`      // "try" if empty
	Partitions *int32            `json:"partitions,omitempty"` // of the topic; 3 if missing
	Config     json.RawMessage   `json:"config,omitempty"`     // {} if missing
	Routes     []string          `json:"routes,omitempty"`     // topics and globs it may route to; all if missing
	Now        int64             `json:"now,omitempty"`        // the time that it is told, in Unix milliseconds; now if missing
	Records    []json.RawMessage `json:"records"`              // each as a line of application/vnd.sluice.records+ndjson
}

// TryResult is what a version made of the records that it was tried on.
type TryResult struct {
	Module   string           `json:"module"`
	Version  string           `json:"version"`
	Hook     string           `json:"hook"`
	Topic    string           `json:"topic"`
	Records  []guest.Outcome  `json:"records"`
	Calls    int64            `json:"calls"`
	Fuel     int64            `json:"fuel"`         // of all calls
	Memory   int64            `json:"memory_bytes"` // that an instance had at most after a call
	Micros   int64            `json:"micros"`
	Counters map[string]int64 `json:"counters,omitempty"`
	Log      []guest.LogLine  `json:"log"`                         // newest first
	Dropped  int64            `json:"log_lines_dropped,omitempty"` // for wasm.log.lines.per.second
}

func (s *Server) try(w http.ResponseWriter, r *http.Request) error {
	m, v, err := s.find(r)
	if err != nil {
		return err
	}
	t, records, err := s.trialOf(w, r)
	if err != nil {
		return err
	}
	wasm, err := s.modules.Registry.Bytes(v.ID)
	if err != nil {
		return err
	}
	module, err := s.modules.Host.Compile(r.Context(), wasm)
	if err != nil {
		return err
	}
	defer module.Release()
	result, err := RunTrial(r.Context(), module, m.Name, s.modules.Wasm.LogLines, t, records)
	if err != nil {
		return err
	}
	answer(w, result)
	return nil
}

// trialOf reads a request.
func (s *Server) trialOf(w http.ResponseWriter, r *http.Request) (Trial, []wasmhost.Record, error) {
	var t Trial
	body, err := s.slow(w, r, maxTryBytes)
	if isA[*http.MaxBytesError](err) {
		return t, nil, failf(http.StatusRequestEntityTooLarge, record.BodyTooLarge.String(), "the body is larger than %d bytes", maxTryBytes)
	}
	if err != nil {
		return t, nil, err
	}
	var records []wasmhost.Record
	switch contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); contentType {
	case "application/vnd.sluice.records+ndjson", "application/x-ndjson":
		if t, err = trialOfQuery(r); err == nil {
			records, err = Records(body)
		}
	case "application/json":
		if err = decode(body, &t); err == nil {
			records, err = recordsOf(t.Records)
		}
	default:
		return t, nil, failf(http.StatusUnsupportedMediaType, record.UnsupportedType.String(),
			"content type %q: it must be application/vnd.sluice.records+ndjson, or application/json", contentType)
	}
	if err == nil && len(records) == 0 {
		err = invalid("records: there are none")
	}
	if len(records) > maxTryRecords {
		err = failf(http.StatusRequestEntityTooLarge, record.TooManyRecords.String(), "records: there are %d, at most %d can be tried at once", len(records), maxTryRecords)
	}
	return t, records, err
}

func trialOfQuery(r *http.Request) (Trial, error) {
	q := r.URL.Query()
	t := Trial{Hook: q.Get("hook"), Topic: q.Get("topic")}
	if config := q.Get("config"); config != "" {
		t.Config = json.RawMessage(config)
	}
	if routes := q.Get("routes"); routes != "" {
		t.Routes = strings.Split(routes, ",")
	}
	if q.Get("partitions") == "" {
		return t, nil
	}
	n, err := queryInt(r, "partitions", 0, 1, 1<<20)
	partitions := int32(n)
	t.Partitions = &partitions
	return t, err
}

// RunTrial runs a trial of a compiled module on records, which are changed.
func RunTrial(ctx context.Context, module *wasmhost.Module, name string, logLines int, t Trial, records []wasmhost.Record) (TryResult, error) {
	plan, err := t.plan(module, logLines)
	if err != nil {
		return TryResult{}, err
	}
	r, err := guest.TryModule(ctx, module, name, plan, records)
	if err != nil {
		return TryResult{Log: guest.ShownAll(r.Log)}, err
	}
	return TryResult{
		Module: name, Version: module.ID, Hook: plan.Hook.String(), Topic: plan.Topic, Records: guest.Outcomes(plan.Hook, r), Calls: r.Calls,
		Fuel: r.Fuel, Memory: r.Memory, Micros: r.Took.Microseconds(), Counters: r.Counters, Log: guest.ShownAll(r.Log), Dropped: r.LinesDropped,
	}, nil
}

// plan puts what t leaves open.
func (t Trial) plan(module *wasmhost.Module, logLines int) (guest.Trial, error) {
	plan := guest.Trial{Topic: t.Topic, Partitions: 3, Config: t.Config, Routes: t.Routes, Now: t.Now, LogLines: logLines}
	if plan.Topic == "" {
		plan.Topic = "try"
	}
	if t.Partitions != nil {
		plan.Partitions = *t.Partitions
	}
	if plan.Partitions < 1 {
		return plan, invalid("partitions: %d must be at least 1", plan.Partitions)
	}
	if err := checkConfig(t.Config); err != nil {
		return plan, err
	}
	if t.Hook == "" {
		plan.Hook = guest.Hooks(module.Kinds)[0] // every module has one
		return plan, nil
	}
	for hook := range wasmhost.NumHooks {
		if t.Hook == hook.String() {
			plan.Hook = hook
			return plan, nil
		}
	}
	return plan, invalid("hook: %q must be on_send, partition or on_ack", t.Hook)
}

// checkConfig says whether a configuration is a JSON object, or missing.
func checkConfig(config json.RawMessage) error {
	if len(config) == 0 {
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(config, &object); err != nil || object == nil {
		return invalid("config: it must be a JSON object")
	}
	return nil
}
