package ingest

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

// tally is what the outcomes of a request come to.
type tally struct {
	stored, dropped, failed int
	letters                 int           // records that are in the dead-letter topic
	first                   *record.Error // the first cause of what failed
	oneStatus               bool          // all causes have the status of the first
	oneCause                bool          // all causes are the same
	retryAfter              time.Duration // the longest
}

// outcomes calls f for every record of the request in order, with nil for those that were stored or accepted.
func (r *request) outcomes(f func(index int, res *result, err *record.Error)) {
	total := len(r.results) + len(r.bad)
	bad := r.bad
	for i, k := 0, 0; i < total; i++ {
		if len(bad) > 0 && bad[0].index == i {
			f(i, nil, bad[0].err)
			bad = bad[1:]
			continue
		}
		f(i, &r.results[k], r.why(&r.results[k]))
		k++
	}
}

func (r *request) why(res *result) *record.Error {
	if res.ref <= 0 {
		return nil
	}
	return r.causes[res.ref-1]
}

func (r *request) tally() tally {
	t := tally{oneStatus: true, oneCause: true}
	for i := range r.results {
		t.add(r.why(&r.results[i]))
	}
	for i := range r.bad {
		t.add(r.bad[i].err)
	}
	return t
}

func (t *tally) add(err *record.Error) {
	if err == nil {
		t.stored++
		return
	}
	if err.Code == record.Dropped {
		t.dropped++
		return
	}
	if err.Code == record.DeadLettered {
		t.letters++
		return
	}
	t.failed++
	t.retryAfter = max(t.retryAfter, err.RetryAfter)
	switch {
	case t.first == nil:
		t.first = err
	case t.first == err:
	default:
		t.oneStatus = t.oneStatus && status(err.Code) == status(t.first.Code)
		t.oneCause = t.oneCause && err.Code == t.first.Code && err.Message == t.first.Message
	}
}

// answerMany answers a request of many records: one status if they share it, 207 otherwise. What was dropped or is
// in the dead-letter topic did not fail, but is not called stored either.
func (r *request) answerMany() {
	t := r.tally()
	switch {
	case r.rest != nil:
		r.write(fasthttp.StatusMultiStatus, typeJSON, (*request).appendMany)
		r.srv.lingerOnClose(r.ctx)
	case t.stored+t.dropped+t.letters == 0 && t.oneStatus:
		r.write(status(t.first.Code), typeProblem, (*request).appendManyProblem)
		r.srv.retryAfter(r.ctx, status(t.first.Code), t.retryAfter)
	case t.failed > 0:
		r.write(fasthttp.StatusMultiStatus, typeJSON, (*request).appendMany)
	case r.params.queued && t.stored > 0:
		r.write(fasthttp.StatusAccepted, typeJSON, (*request).appendMany)
	case t.dropped+t.letters > 0:
		r.write(status(record.Dropped), typeJSON, (*request).appendMany)
	default:
		r.write(fasthttp.StatusOK, typeJSON, (*request).appendMany)
	}
}

// answerQueued answers a request of one record that was to be put into the buffer only.
func (r *request) answerQueued() {
	if err := r.why(&r.results[0]); err != nil {
		r.answerNotStored(err)
		return
	}
	r.write(fasthttp.StatusAccepted, typeJSON, (*request).appendMany)
}

func (r *request) appendMany(dst []byte) []byte {
	dst = append(dst, `{"topic":`...)
	dst = appendString(dst, r.name)
	switch {
	case r.params.queued:
		dst = r.appendCounts(dst, `,"accepted":`)
	case r.params.errorsOnly:
		dst = r.appendCounts(dst, `,"stored":`)
	default:
		dst = r.appendRecords(dst)
	}
	if r.rest != nil {
		dst = append(dst, `,"error":{`...)
		dst = appendCause(dst, r.notRead(), "message")
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// notRead is the error of the records after those that have a result.
func (r *request) notRead() *record.Error {
	return record.Errorf(r.rest.Code, "the request broke off after %d records, those behind were not sent: %s",
		len(r.results)+len(r.bad), r.rest.Message)
}

func (r *request) appendCounts(dst []byte, stored string) []byte {
	t := r.tally()
	dst = append(dst, stored...)
	dst = strconv.AppendInt(dst, int64(t.stored), 10)
	if t.dropped > 0 {
		dst = append(dst, `,"dropped":`...)
		dst = strconv.AppendInt(dst, int64(t.dropped), 10)
	}
	if t.letters > 0 {
		dst = append(dst, `,"dead_lettered":`...)
		dst = strconv.AppendInt(dst, int64(t.letters), 10)
	}
	if r.params.queued && t.failed == 0 {
		return dst
	}
	dst = append(dst, `,"failed":`...)
	dst = strconv.AppendInt(dst, int64(t.failed), 10)
	dst = append(dst, `,"errors":[`...)
	sep := false
	r.outcomes(func(i int, _ *result, err *record.Error) {
		if err == nil || setAside(err) {
			return
		}
		if sep {
			dst = append(dst, ',')
		}
		sep = true
		dst = append(dst, `{"index":`...)
		dst = strconv.AppendInt(dst, int64(i), 10)
		dst = append(dst, ',')
		dst = appendCause(dst, err, "message")
		dst = append(dst, '}')
	})
	return append(dst, ']')
}

func (r *request) appendRecords(dst []byte) []byte {
	dst = append(dst, `,"records":[`...)
	r.outcomes(func(i int, res *result, err *record.Error) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		switch {
		case err == nil:
			dst = r.appendPlace(dst, res)
		case setAside(err):
			dst = appendAside(dst, err)
		default:
			dst = append(dst, `"error":{`...)
			dst = appendCause(dst, err, "message")
			dst = append(dst, '}')
		}
		dst = append(dst, '}')
	})
	return append(dst, ']')
}

// appendPlace says where a record is stored; the topic only if it is not the request's.
func (r *request) appendPlace(dst []byte, res *result) []byte {
	if res.ref < 0 {
		dst = append(dst, `"topic":`...)
		dst = appendString(dst, r.topics[-res.ref-1])
		dst = append(dst, ',')
	}
	dst = append(dst, `"partition":`...)
	dst = appendNumber(dst, int64(res.partition))
	dst = append(dst, `,"offset":`...)
	return appendNumber(dst, res.offset)
}

// appendManyProblem appends the problem of a request none of whose records was stored.
func (r *request) appendManyProblem(dst []byte) []byte {
	t := r.tally()
	dst = appendProblem(dst, status(t.first.Code), t.first)
	dst = append(dst, `,"failed":`...)
	dst = strconv.AppendInt(dst, int64(t.failed), 10)
	if !t.oneCause {
		dst = r.appendRecords(dst)
	}
	return append(dst, '}')
}
