package drill

import (
	"encoding/json"
	"errors"
	"net"
	"strings"

	"sluice/gateway/drill/check"
)

// result is what is said of one record.
type result struct {
	Partition  *int32
	Offset     *int64
	Dropped    bool
	DeadLetter *struct {
		Topic     string
		Partition *int32
		Offset    *int64
	} `json:"dead_letter"`
	Error *struct{ Code, Message string }
}

// noLetter is in the error of a record of which the dead letter could not be stored either.
const noLetter = "its dead letter could not be stored"

// reply is the body of any answer about records.
type reply struct {
	result
	Code, Detail string
	Error        *struct{ Code string } // of the records that were not read
	Records      []result
}

// note writes into the entries of a request what its answer says of each.
func note(entries []check.Entry, status int, body []byte) {
	var r reply
	if err := json.Unmarshal(body, &r); err != nil {
		r = reply{Code: "answer_not_json"}
	}
	for i := range entries {
		e := &entries[i]
		e.Status, e.Code, e.NoLetter = status, r.Code, strings.Contains(r.Detail, noLetter)
		switch {
		case i < len(r.Records):
			r.Records[i].note(e)
		case r.Error != nil:
			e.Code = r.Error.Code
		case len(entries) == 1:
			r.note(e)
		case status == 207:
			e.Code = "answer_without_it"
		}
	}
}

func (r *result) note(e *check.Entry) {
	if r.Partition != nil {
		e.Partition = *r.Partition
	}
	if r.Offset != nil {
		e.Offset = *r.Offset
	}
	if d := r.DeadLetter; d != nil {
		e.Code, e.Letter = "dead_lettered", &check.Place{Topic: d.Topic, Partition: -1, Offset: -1}
		if d.Partition != nil {
			e.Letter.Partition = *d.Partition
		}
		if d.Offset != nil {
			e.Letter.Offset = *d.Offset
		}
	}
	if r.Error != nil {
		e.Code, e.NoLetter = r.Error.Code, strings.Contains(r.Error.Message, noLetter)
	}
	if r.Dropped {
		e.Code = "dropped"
	}
}

// noteFailure writes into the entries that there was no answer.
func noteFailure(entries []check.Entry, err error) {
	code := check.NoAnswer
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		code = check.Unreachable
	}
	for i := range entries {
		entries[i].Status, entries[i].Code = 0, code
	}
}
