package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"
)

// maxLossesNamed is how many losses are logged each by itself within logEvery; the next line counts those beyond.
const maxLossesNamed = 100

// losses logs records that are lost for good, so that somebody can find out which those are. They belong to the goroutine of a spool.
type losses struct {
	since   time.Time
	named   int
	unnamed int64
}

// due counts a loss. It is true if that is to be logged, with how many were not before.
func (l *losses) due(now time.Time) (unnamed int64, ok bool) {
	if now.Sub(l.since) >= logEvery {
		l.since, l.named = now, 0
	}
	if l.named == maxLossesNamed {
		l.unnamed++
		return 0, false
	}
	unnamed, l.unnamed = l.unnamed, 0
	l.named++
	return unnamed, true
}

// logLost says which record of a batch was refused and is lost.
func (q *topicSpool) logLost(f *flight, i int) {
	unnamed, ok := q.losses.due(time.Now())
	if !ok {
		return
	}
	r, a := &f.batch.Records[i], &f.batch.Acks[i]
	more := []any{"entry", f.seqs[i], "timestamp", time.UnixMilli(r.Timestamp).UTC(), "partition", a.Partition}
	if r.Key != nil {
		more = append(more, "key_sha256", keyHash(r.Key))
	}
	more = append(more, "value_bytes", len(r.Value), "code", a.Code, "error", a.Detail)
	if f.batch.Home != q.name {
		more = append(more, "sent_to", f.batch.Home)
	}
	q.lossLog(unnamed).Error("a record of the spool was refused and is lost", more...)
}

func (q *topicSpool) lossLog(unnamed int64) *slog.Logger {
	if unnamed > 0 {
		return q.log.With("lost_before_and_not_named", unnamed)
	}
	return q.log
}

// keyHash stands for a key where that itself may not be shown: the first 16 digits of what sha256sum prints for it.
func keyHash(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// giveUp is for entries that cannot be read.
func (q *topicSpool) giveUp(from, to uint64, err error) {
	before := q.track.count
	q.finish(from, to)
	n := q.track.count - before
	if n == 0 { // it is read once more
		return
	}
	q.Stats.lost.Add(int64(n))
	if unnamed, ok := q.losses.due(time.Now()); ok {
		q.lossLog(unnamed).Error("records of the spool cannot be read and are lost", "records", n, "first_entry", from, "last_entry", to-1, "error", err)
	}
}
