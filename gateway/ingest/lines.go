package ingest

import (
	"errors"
	"io"
	"time"

	"sluice/gateway/record"
)

// chargeStep is how much is taken from receive.memory at once while a batch grows.
const chargeStep = 8 << 10

// serveLines sends the lines of the body as they come, in batches, and answers with one result per record.
func (r *request) serveLines(src io.Reader) {
	r.rest = r.readLines(src)
	if r.rest != nil {
		r.dropUnsent()
		if len(r.sent)+len(r.results) == 0 {
			r.refuse(r.rest)
			return
		}
	}
	if !r.params.queued {
		if r.await() {
			r.takeDone()
		} else {
			r.takeKnown()
		}
	}
	r.answerMany()
}

// readLines sends every line. It stops at the first error that is not about one line only.
func (r *request) readLines(src io.Reader) *record.Error {
	longest := r.topic.MaxRecordBytes()
	if r.params.form == formEnvelope {
		longest *= 3 // of base64 and \u escapes, the worst that serializers write for text
	}
	r.lines.open(src, r.sizeHint(), &r.mem, longest)
	limit := r.srv.cfg.MaxRecordsPerRequest
	for n := 0; ; n++ {
		line, tooLong, err := r.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return asError(err)
		}
		if n >= limit {
			return record.Errorf(record.TooManyRecords, "more than max.records.per.request = %d records", limit)
		}
		if err := r.line(line, tooLong, n); err != nil {
			return err
		}
	}
	if r.batch != nil {
		return r.sendLast()
	}
	if len(r.sent)+len(r.results)+len(r.bad) == 0 {
		return record.Errorf(record.Invalid, "body has no records")
	}
	return nil
}

// line takes one line as record number n of the request.
func (r *request) line(line []byte, tooLong bool, n int) *record.Error {
	if tooLong {
		r.reject(n, r.lineTooLong())
		return nil
	}
	if err := r.begin(n, line); err != nil {
		return err
	}
	rec := r.batch.Add(r.name)
	r.shared.apply(&r.params, rec)
	if err := r.fillRecord(rec, line); err != nil {
		r.batch.Records = r.batch.Records[:len(r.batch.Records)-1]
		r.reject(n, err)
		return nil
	}
	return r.grown()
}

func (r *request) fillRecord(rec *record.Record, line []byte) *record.Error {
	if r.params.form == formEnvelope {
		if err := r.decodeEnvelope(rec, line); err != nil {
			return err
		}
	} else {
		rec.Value = r.batch.Copy(line)
	}
	if size := rec.Size(); size > r.topic.MaxRecordBytes() {
		return record.Errorf(record.RecordTooLarge, "line %d: record is %d bytes, more than max.request.size = %d",
			r.lines.number, size, r.topic.MaxRecordBytes())
	}
	return nil
}

func (r *request) lineTooLong() *record.Error {
	return record.Errorf(record.RecordTooLarge, "line %d is more than %d bytes; a record may have max.request.size = %d",
		r.lines.number, r.lines.longest, r.topic.MaxRecordBytes())
}

func (r *request) reject(n int, err *record.Error) {
	r.bad = append(r.bad, badRecord{index: n, err: err})
}

// begin makes sure that there is a batch to add record n to.
func (r *request) begin(n int, line []byte) *record.Error {
	if r.batch != nil {
		return nil
	}
	r.batch = r.srv.pool.Batch()
	r.first = n
	// Room for what was read already; a quarter, because a batch is full when it holds this memory, used or not.
	r.batch.Reserve(min(len(line)+r.lines.end-r.lines.start+r.params.size(), r.topic.BatchMemory()/4))
	return r.shared.load(&r.params, r.batch)
}

// grown pays for what the batch has grown by, and sends it when it is full.
func (r *request) grown() *record.Error {
	memory := r.batch.Memory()
	if memory > r.charged {
		step := max(memory-r.charged, chargeStep)
		if err := r.take(step); err != nil {
			return err
		}
		r.charged += step
	}
	if len(r.batch.Records) < record.MaxBatchRecords && memory < r.topic.BatchMemory() {
		return nil
	}
	return r.sendFull()
}

// sendFull sends the batch while there may be more to read.
func (r *request) sendFull() *record.Error {
	start := time.Now()
	r.send()
	r.extendDeadline(time.Since(start))
	r.takeDone()
	return r.chargeKept()
}

// chargeKept pays for what is kept of sent records while the rest of the body comes in, which a slow client can draw out.
func (r *request) chargeKept() *record.Error {
	want := len(r.results) * resultSize
	for _, b := range r.sent {
		want += len(b.Acks) * sentRecordSize
	}
	if want <= r.kept {
		r.give(r.kept - want)
		r.kept = want
		return nil
	}
	if err := r.take(want - r.kept); err != nil {
		return err
	}
	r.kept = want
	return nil
}

// extendDeadline gives the client the time back that it had to wait for the topic's memory.
func (r *request) extendDeadline(blocked time.Duration) {
	if blocked < time.Millisecond || r.srv.cfg.ReadTimeout <= 0 {
		return
	}
	r.blocked += blocked
	// A connection that refuses a deadline is broken, and the next read says so.
	_ = r.ctx.SetReadDeadline(r.ctx.Time().Add(r.srv.cfg.ReadTimeout + r.blocked))
}

// sendLast sends what is left after the last line.
func (r *request) sendLast() *record.Error {
	if len(r.batch.Records) == 0 {
		r.dropUnsent()
		return nil
	}
	r.mem.free()
	r.send()
	return nil
}

// dropUnsent forgets the batch that was being filled, and what was rejected since it was begun.
func (r *request) dropUnsent() {
	if r.batch == nil {
		return
	}
	r.batch.Free()
	r.batch = nil
	if r.rest == nil {
		return
	}
	for n := len(r.bad); n > 0 && r.bad[n-1].index >= r.first; n-- {
		r.bad[n-1] = badRecord{}
		r.bad = r.bad[:n-1]
	}
}
