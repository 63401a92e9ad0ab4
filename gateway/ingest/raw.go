package ingest

import (
	"io"

	"sluice/gateway/record"
)

// trustedSize is how much memory a client gets for announcing a body; for more it must first have sent half of the body.
const trustedSize = 8 << 10

// serveRaw sends the whole body as one record and answers with its outcome.
func (r *request) serveRaw(src io.Reader) {
	if err := r.readRecord(src); err != nil {
		r.refuse(err)
		return
	}
	r.send()
	if r.params.queued {
		r.answerQueued()
		return
	}
	r.await()
	ack, ok := r.sent[0].Outcome(0)
	if !ok {
		r.refuse(outcomeUnknown(r.topic.AwaitTimeout()))
		return
	}
	r.answerOne(&ack)
}

// readRecord makes a batch of the one record.
func (r *request) readRecord(src io.Reader) *record.Error {
	size := r.sizeHint()
	most := r.topic.MaxRecordBytes() - r.params.size()
	if size > most {
		return r.recordTooLarge(size)
	}
	r.batch = r.srv.pool.Batch()
	value, err := r.readValue(src, size, most)
	if err != nil {
		return err
	}
	if len(value) == 0 && !r.params.tombstone {
		return record.Errorf(record.Invalid, "body is empty; a record with a null value is asked for with X-Kafka-Tombstone: true")
	}
	if r.params.tombstone {
		if len(value) > 0 {
			return record.Errorf(record.Invalid, "body is not empty, and X-Kafka-Tombstone is true")
		}
		value = nil
	}
	if err := r.shared.load(&r.params, r.batch); err != nil {
		return err
	}
	rec := r.batch.Add(r.name)
	r.shared.apply(&r.params, rec)
	rec.Value = value
	return nil
}

func (r *request) readValue(src io.Reader, size, most int) ([]byte, *record.Error) {
	if size >= 0 && size <= trustedSize {
		value, err := r.allocValue(size)
		if err != nil {
			return nil, err
		}
		return value, readFull(src, value)
	}
	return r.readLarge(src, size, most)
}

// allocValue takes room for the value, and for key and headers behind it.
func (r *request) allocValue(size int) ([]byte, *record.Error) {
	room := size + r.params.size()
	if err := r.take(record.SlabSize(room)); err != nil {
		return nil, err
	}
	r.charged += record.SlabSize(room)
	r.batch.Reserve(room)
	return r.batch.Alloc(size), nil
}

// readLarge reads a body that is large or of unknown size. It grows with what the client really sends.
func (r *request) readLarge(src io.Reader, size, most int) ([]byte, *record.Error) {
	buf, n := []byte(nil), 0
	for {
		if n == len(buf) {
			if size >= 0 && size <= 2*n {
				return r.readRest(src, buf[:n], size)
			}
			var err *record.Error
			if buf, err = r.mem.grow(n, max(2*n, 4<<10)); err != nil {
				return nil, err
			}
		}
		k, err := src.Read(buf[n:])
		if n += k; n > most {
			return nil, r.recordTooLarge(-1)
		}
		if err == io.EOF {
			return r.readRest(src, buf[:n], n)
		}
		if err != nil {
			return nil, asError(err)
		}
	}
}

// readRest moves what was read to its place, and reads the rest of a value of the given size.
func (r *request) readRest(src io.Reader, read []byte, size int) ([]byte, *record.Error) {
	value, err := r.allocValue(size)
	if err != nil {
		return nil, err
	}
	n := copy(value, read)
	r.mem.free()
	return value, readFull(src, value[n:])
}

// readFull fills p. That the body ends early is an error of the body itself, so there is no io.EOF before p is full.
func readFull(src io.Reader, p []byte) *record.Error {
	for len(p) > 0 {
		n, err := src.Read(p)
		p = p[n:]
		if err != nil && len(p) > 0 {
			return asError(err)
		}
	}
	return nil
}

// recordTooLarge is the error of a value of size bytes, or of unknown size if it is negative.
func (r *request) recordTooLarge(size int) *record.Error {
	limit := r.topic.MaxRecordBytes()
	if size < 0 {
		return record.Errorf(record.RecordTooLarge, "record is more than max.request.size = %d bytes", limit)
	}
	return record.Errorf(record.RecordTooLarge, "record is %d bytes with key and headers, more than max.request.size = %d",
		size+r.params.size(), limit)
}

// sizeHint is the number of bytes that the decoded body has, or -1 if that is not known beforehand.
func (r *request) sizeHint() int {
	if r.params.encoding != identity {
		return -1
	}
	return r.body.length
}
