package bench

import "encoding/json"

// statusPartial is answered when the records of a request fared differently, or a module dropped some.
const statusPartial = 207

// fate is what became of the records of one request.
type fate struct{ stored, dropped, failed int64 }

// fateOf reads an answer to a request of so many records; body is that of a 207.
func fateOf(status int, body []byte, records int) fate {
	n := int64(records)
	switch {
	case status == statusPartial:
		return partialFate(body, n)
	case success(status):
		return fate{stored: n}
	default:
		return fate{failed: n}
	}
}

// partialFate reads the result of each record, or the counts where the answer has only those. What it does not tell of was
// not stored: the request broke off before it, or nobody knows.
func partialFate(body []byte, records int64) fate {
	var a struct {
		Dropped  json.RawMessage // of a single record, else a count
		Accepted int64
		Stored   int64
		Records  []struct {
			Dropped bool
			Error   json.RawMessage
		}
	}
	if json.Unmarshal(body, &a) != nil {
		return fate{failed: records}
	}
	f := fate{stored: a.Accepted + a.Stored}
	if string(a.Dropped) == "true" {
		f.dropped = 1
	} else if a.Dropped != nil {
		_ = json.Unmarshal(a.Dropped, &f.dropped) // what is no number was not dropped
	}
	for _, r := range a.Records {
		switch {
		case r.Dropped:
			f.dropped++
		case r.Error == nil:
			f.stored++
		}
	}
	f.failed = max(records-f.stored-f.dropped, 0)
	return f
}
