package gateway

import (
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/producer"
	"sluice/gateway/record"
	"sluice/gateway/spool"
)

// topicSpool is the spool of one topic: records that nobody waits for go in, and one goroutine sends them in order. It outlives the
// Topics of a configuration.
type topicSpool struct {
	name    string
	folder  string
	disk    *spool.Spool
	cluster *producer.Cluster
	pool    *record.Pool
	route   routeFunc
	log     *slog.Logger

	cfg    atomic.Pointer[config.Topic] // of the topic now
	topic  atomic.Pointer[Topic]        // whose stages its records take
	out    atomic.Pointer[producer.Topic]
	writes sync.Pool // of *spoolWrite

	start   sync.Once
	active  bool                  // the topic uses it; guarded by spools.mu
	retire  func(*producer.Topic) // gives one up that has no record under way
	drain   chan struct{}         // closed when the gateway stops: what is there is to be sent
	drained chan struct{}         // that is done, as far as it can be
	halt    chan struct{}
	halted  chan struct{} // nothing is appended to out any more
	ended   chan struct{} // the goroutine is gone
	goes    sync.Once     // it is closed when the goroutine is gone
	wake    chan struct{} // for the goroutine

	mu       sync.Mutex
	stopped  bool            // halt is closed
	closing  bool            // it goes away once it is empty
	sealed   bool            // it takes no records any more, and will not again
	barriers []spoolBarrier  // other spools of the topic whose records come first
	renewed  *producer.Topic // to take the place of out when nothing is under way
	back     []*flight       // that have come back

	reader      *spool.Reader // what follows belongs to the goroutine
	peeked      peeked
	held        bool // peeked has to wait for another spool
	track       *spoolTrack
	open        []*flight // in the order in which they were sent
	behind      bool      // a record has to be sent again: nothing new is sent until all that is under way has come back
	pause       time.Duration
	futile      int // how often it went back since drain was closed, without a record being done meanwhile
	toldDrained bool
	tries       tries
	dirty       bool // the track was not committed
	wrote       time.Time

	losses              losses
	full, again, broken occasion

	rate producer.DrainRate // of entries that are done

	Stats spoolStats
}

// spoolStats counts what became of a topic's spooled records.
type spoolStats struct {
	stored  atomic.Int64
	letters atomic.Int64  // that became dead letters
	refused atomic.Int64  // that were refused for their own sake and are lost
	lost    atomic.Int64  // that could not be read
	again   atomic.Int64  // records that were sent again
	unknown atomic.Int64  // of those, which may be in the log twice
	done    atomic.Uint64 // entries that are done
	next    atomic.Uint64 // entries before it are all done
	oldest  atomic.Int64  // when the oldest that waits was accepted, milliseconds since the Unix epoch; 0 if none waits
}

// spoolBarrier keeps records of a spool from at on back, until another spool of the topic has sent those before upTo: the topic used
// that one when they were accepted.
type spoolBarrier struct {
	at   uint64
	of   *topicSpool
	upTo uint64
}

// passed says whether nothing has to wait any more.
func (b *spoolBarrier) passed() bool {
	select {
	case <-b.of.ended:
		return true
	default:
		return b.of.Stats.next.Load() >= b.upTo
	}
}

// spoolWrite is some records on their way into the spool, in memory that is used again.
type spoolWrite struct {
	entries spool.Entries
	index   []int
}

// maxSpoolWrite is how much of such memory is kept.
const maxSpoolWrite = 1 << 20

func spoolOptions(c *config.Spool) spool.Options {
	o := spool.Options{MaxBytes: c.MaxBytes, SegmentBytes: c.SegmentBytes}
	if c.Fsync == config.FsyncInterval {
		o.Interval = c.Interval
	}
	return o
}

// spoolSuffix is behind the name of a topic in that of its folder, so that no topic's name is one that a system does not like.
const spoolSuffix = ".spool"

func spoolFolder(cfg config.Topic) string { return filepath.Join(cfg.Spool.Dir, cfg.Name+spoolSuffix) }

// accept puts the records of b that go to t into the spool. Each has its Ack when it returns: Spooled, or why it is refused. It is
// false, and nothing has happened, if the spool is closed.
func (q *topicSpool) accept(t *Topic, b *record.Batch) bool {
	live, highest := t.explicit(b)
	if !live {
		return true
	}
	if !q.check(t, b, highest) {
		return true
	}
	w, ok := q.writes.Get().(*spoolWrite)
	if !ok {
		w = &spoolWrite{}
	}
	now := time.Now().UnixMilli()
	for i := range b.Records {
		if r := &b.Records[i]; r.Topic == q.name && !r.Done() {
			w.index = append(w.index, i)
			w.entries.End(appendEntry(w.entries.Begin(), b, i, now))
		}
	}
	_, err := q.disk.Append(&w.entries)
	closed := errors.Is(err, spool.ErrClosed)
	if !closed {
		q.answer(b, w.index, err)
	}
	if w.entries.Size() <= maxSpoolWrite {
		w.entries.Reset()
		w.index = w.index[:0]
		q.writes.Put(w)
	}
	return !closed
}

// check refuses records that can never be sent, as far as that is known now. It is false if none is left.
func (q *topicSpool) check(t *Topic, b *record.Batch, highest int32) bool {
	out := q.out.Load()
	out.Check(b)
	if known := out.Count(); known > 0 && int(highest) >= known {
		if p, err := t.out.PartitionsAtLeast(highest + 1); err == nil && highest >= p.Count {
			t.refuseMissing(b, p.Count)
		}
	}
	live, _ := t.explicit(b)
	return live
}

// answer ends records that were appended, or could not be.
func (q *topicSpool) answer(b *record.Batch, index []int, err error) {
	if err == nil {
		for _, i := range index {
			b.Complete(i, record.Ack{Offset: record.NoOffset, Timestamp: record.NoTimestamp, Partition: record.NoPartition, Code: record.Spooled})
		}
		return
	}
	why := q.refusal(err)
	if n := q.full.due(time.Now()); n > 0 {
		q.log.Error("the spool does not take records", "requests", n, "code", why.Code, "error", why)
	}
	for _, i := range index {
		if of, k := b.Origin(i); of != b { // whose sender reads what failed of its own batch
			of.Failed = append(of.Failed, record.Refusal{Index: k, Err: why})
		}
		b.Fail(i, why)
	}
}

// refusal is what senders are told of an error of the spool.
func (q *topicSpool) refusal(err error) *record.Error {
	full, ok := errors.AsType[*spool.FullError](err)
	gone, isGone := errors.AsType[*spool.GoneError](err)
	switch {
	case isGone:
		e := record.Errorf(record.NotAvailable, "the record is not in the spool of topic %q: %v", q.name, gone)
		e.RetryAfter = spoolRetry
		return e
	case !ok:
		e := record.Errorf(record.NotAvailable, "the spool of topic %q cannot be written (spool.dir = %q)", q.name, q.cfg.Load().Spool.Dir)
		e.Err, e.RetryAfter = err, spoolRetry
		return e
	case full.Err != nil:
		e := record.Errorf(record.SpoolFull, "the disk of the spool of topic %q is full (spool.dir = %q)", q.name, q.cfg.Load().Spool.Dir)
		e.Err, e.RetryAfter = full.Err, q.retryFull(full, time.Now())
		return e
	default:
		e := record.Errorf(record.SpoolFull, "the spool of topic %q is full: %d bytes more than spool.max.bytes = %d", q.name, full.Used+full.Need-full.Max, full.Max)
		e.RetryAfter = q.retryFull(full, time.Now())
		return e
	}
}

// retryFull is when a full spool should have room: it gives room back a segment at a time, as fast as its records are done.
func (q *topicSpool) retryFull(full *spool.FullError, now time.Time) time.Duration {
	return q.rate.RetryAfter(full.Wait, int64(q.Stats.done.Load()), now)
}

// spoolRetry is when to come again to a spool that cannot be written: nobody knows.
const spoolRetry = 5 * time.Second

// Waiting is the number of records that are not stored, and the bytes that the spool has on disk.
func (q *topicSpool) waiting() (records, bytes int64) {
	bytes, next := q.disk.Used()
	return int64(next - min(next, q.Stats.done.Load())), bytes
}

// takes says whether there is a spool, its folder is there, and it has room for any record.
func (q *topicSpool) takes() bool {
	if q == nil {
		return false
	}
	cfg := q.cfg.Load()
	_, bytes := q.waiting()
	return bytes+int64(cfg.Producer.MaxRequestSize) <= cfg.Spool.MaxBytes && q.disk.There() == nil
}

// had says whether the spool ever had a record, so that the topic was there, whether or not Kafka answers now.
func (q *topicSpool) had() bool {
	_, next := q.disk.Used()
	return next > 0
}

// age is how long the oldest record waits.
func (q *topicSpool) age(now time.Time) time.Duration {
	at := q.Stats.oldest.Load()
	if at == 0 {
		return 0
	}
	return max(0, now.Sub(time.UnixMilli(at)))
}
