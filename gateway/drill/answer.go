package drill

import (
	"encoding/json"
	"errors"
	"net"

	"sluice/gateway/drill/check"
)

// result is what is said of one record.
type result struct {
	Partition *int32
	Offset    *int64
	Dropped   bool
	Error     *struct{ Code string }
}

// reply is the body of any answer about records.
type reply struct {
	result
	Code    string
	Error   *struct{ Code string } // of the records that were not read
	Records []result
}

// note writes into the entries of a request what its answer says of each.
func note(entries []check.Entry, status int, body []byte) {
	var r reply
	if err := json.Unmarshal(body, &r); err != nil {
		r = reply{Code: "answer_not_json"}
	}
	for i := range entries {
		e := &entries[i]
		e.Status, e.Code = status, r.Code
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
	if r.Partition != nil && r.Offset != nil {
		e.Partition, e.Offset = *r.Partition, *r.Offset
	}
	if r.Error != nil {
		e.Code = r.Error.Code
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
