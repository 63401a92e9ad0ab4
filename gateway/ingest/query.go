package ingest

import (
	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

// query is a set of query parameters.
type query uint8

const (
	queryAck query = 1 << iota
	queryResults
	queryTopic
)

// parseQuery refuses what it does not know: a misspelt ack would else be answered as if it had not been given.
func (p *params) parseQuery(q *fasthttp.Args, known query) *record.Error {
	for name, value := range q.All() {
		if err := p.queryParam(name, value, known); err != nil {
			return err
		}
	}
	return nil
}

func (p *params) queryParam(name, value []byte, known query) (err *record.Error) {
	var which query
	switch string(name) {
	case "ack":
		which, err = queryAck, p.parseAck(value)
	case "results":
		which, err = queryResults, p.parseResults(value)
	case "topic":
		which, p.defaultTopic = queryTopic, value
	case "":
		if len(value) == 0 { // nothing between two ampersands
			return nil
		}
	}
	if which&known == 0 {
		return record.Errorf(record.Invalid, "query parameter %.100q is unknown; there are %s", name, known)
	}
	if p.queries&which != 0 {
		return record.Errorf(record.Invalid, "query parameter %s is given twice", name)
	}
	p.queries |= which
	return err
}

// String names the parameters for an error.
func (q query) String() string {
	if q&queryTopic != 0 {
		return "topic, ack and results"
	}
	return "ack and results"
}

func (p *params) parseAck(ack []byte) *record.Error {
	switch string(ack) {
	case "", "delivered":
	case "queued":
		p.queued = true
	default:
		return record.Errorf(record.Invalid, "ack is %q; it is delivered or queued", ack)
	}
	return nil
}

func (p *params) parseResults(results []byte) *record.Error {
	switch string(results) {
	case "", "all":
	case "errors":
		p.errorsOnly = true
	default:
		return record.Errorf(record.Invalid, "results is %q; it is all or errors", results)
	}
	return nil
}
