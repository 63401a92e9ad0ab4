package guest

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost"
)

// Outcome is what a guest made of one record, as it is shown.
type Outcome struct {
	Index     int        `json:"index"`
	Verdict   string     `json:"verdict"`             // passed, failed or bypassed
	Changed   []string   `json:"changed,omitempty"`   // of key, value, headers and timestamp
	Dropped   bool       `json:"dropped,omitempty"`   // it ends here
	Route     string     `json:"route,omitempty"`     // the topic that it goes to instead
	Partition *int32     `json:"partition,omitempty"` // that a partitioner chose, or its sender; -1 leaves it to others
	Cause     string     `json:"cause,omitempty"`     // of a verdict other than passed, in a stable word
	Reason    string     `json:"reason,omitempty"`    // the same in words
	Fuel      int64      `json:"fuel"`                // when it is alone in a call; 0 if the guest was not asked
	Record    RecordLine `json:"record"`              // as it is afterwards
}

// RecordLine is a record as a line of application/vnd.sluice.records+ndjson.
type RecordLine struct {
	Key         json.RawMessage `json:"key,omitempty"` // text, or missing if it is null
	KeyBase64   []byte          `json:"key_base64,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"value_base64,omitempty"`
	Headers     json.RawMessage `json:"headers,omitempty"`
	Partition   *int32          `json:"partition,omitempty"`
	Timestamp   *int64          `json:"timestamp,omitempty"`
}

// Outcomes shows what hook made of the records of r.
func Outcomes(hook wasmhost.Hook, r Result) []Outcome {
	all := make([]Outcome, len(r.Records))
	for i := range r.Records {
		all[i] = outcome(hook, &r.Records[i])
		all[i].Index = i
		if i < len(r.FuelOf) {
			all[i].Fuel = r.FuelOf[i]
		}
	}
	return all
}

func outcome(hook wasmhost.Hook, r *wasmhost.Record) Outcome {
	o := Outcome{Verdict: verdicts()[r.Verdict], Record: LineOf(r)}
	if hook == wasmhost.Partition {
		o.Partition = &r.Partition
		o.Record.Partition = nil // it may be the guest's choice
	}
	if r.Verdict != wasmhost.Passed {
		o.Cause, o.Reason, o.Partition = r.Cause.String(), r.Reason, nil
		return o
	}
	if hook != wasmhost.OnSend {
		return o
	}
	o.Dropped = r.Dropped()
	for _, f := range []struct {
		flag uint32
		name string
	}{{abi.FlagKey, "key"}, {abi.FlagValue, "value"}, {abi.FlagHeaders, "headers"}, {abi.FlagTimestamp, "timestamp"}} {
		if r.Changed&f.flag != 0 {
			o.Changed = append(o.Changed, f.name)
		}
	}
	if r.Changed&abi.FlagRoute != 0 {
		o.Route = string(r.Route)
	}
	return o
}

func verdicts() []string {
	return []string{wasmhost.Passed: "passed", wasmhost.Failed: "failed", wasmhost.Bypassed: "bypassed"}
}

// LineOf is a record as a line that, sent to the data plane, makes the same record.
func LineOf(r *wasmhost.Record) RecordLine {
	var l RecordLine
	if l.KeyBase64 = r.Key; utf8.Valid(r.Key) {
		l.KeyBase64 = nil
		if r.Key != nil {
			l.Key = quoted(string(r.Key))
		}
	}
	switch {
	case !utf8.Valid(r.Value):
		l.ValueBase64 = r.Value
	case r.Value == nil:
		l.Value = json.RawMessage("null")
	case isCompactJSON(r.Value):
		l.Value = r.Value
	default:
		l.Value = quoted(string(r.Value))
	}
	if len(r.Headers) > 0 {
		l.Headers = headersOf(r.Headers)
	}
	if r.Partition >= 0 {
		l.Partition = &r.Partition
	}
	if r.Timestamp >= 0 {
		l.Timestamp = &r.Timestamp
	}
	return l
}

// isCompactJSON says whether a value written as it is, and not as a string, comes back as the same bytes.
func isCompactJSON(v []byte) bool {
	if len(v) == 0 || v[0] == '"' || string(v) == "null" {
		return false
	}
	var b bytes.Buffer
	return json.Compact(&b, v) == nil && bytes.Equal(b.Bytes(), v)
}

// quoted is s as a JSON string, with nothing escaped that need not be.
func quoted(s string) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can be encoded
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// headersOf writes headers as an object if that says all, else as an array.
func headersOf(headers []wasmhost.Header) json.RawMessage {
	names := make([]string, len(headers))
	object := true
	for i, h := range headers {
		object = object && !slices.Contains(names[:i], h.Key) && utf8.Valid(h.Value)
		names[i] = h.Key
	}
	var b bytes.Buffer
	for i, h := range headers {
		if i > 0 {
			b.WriteByte(',')
		}
		value := json.RawMessage("null")
		name := "value"
		switch {
		case !utf8.Valid(h.Value):
			name = "value_base64"
			value, _ = json.Marshal(h.Value) // bytes always can be encoded
		case h.Value != nil:
			value = quoted(string(h.Value))
		}
		if object {
			b.Write(quoted(h.Key))
			b.WriteByte(':')
			b.Write(value)
			continue
		}
		b.WriteString(`{"name":`)
		b.Write(quoted(h.Key))
		b.WriteString(`,"` + name + `":`)
		b.Write(value)
		b.WriteByte('}')
	}
	if object {
		return json.RawMessage("{" + b.String() + "}")
	}
	return json.RawMessage("[" + b.String() + "]")
}
