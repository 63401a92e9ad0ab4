package ingest

import "sluice/gateway/record"

// Line reads one line of application/vnd.sluice.records+ndjson into rec, whose bytes are in the memory of b. number is that
// of the line, from 1, for errors. It is for whoever has such lines without a request.
func Line(b *record.Batch, rec *record.Record, line []byte, number int) *record.Error {
	e := envelope{scanner: scanner{b: line, line: number}, batch: b, rec: rec}
	if err := e.decode(); err != nil {
		return err
	}
	e.mergeHeaders(nil)
	return nil
}
