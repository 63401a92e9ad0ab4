package producer

import (
	"context"
	"time"

	"sluice/gateway/record"
)

// Partitions is what is known of the topic's partitions. A topic that was never seen is looked up, for at most
// max.block.ms (but at least a second), as Java's producer waits for metadata.
func (t *Topic) Partitions() (*record.Partitions, *record.Error) {
	if p := t.parts.Load(); p != nil {
		return p, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.metadataWait())
	defer cancel()
	pause := backoff(minRefresh, maxLookupPause)
	for tries := 1; ; tries++ {
		err := t.cluster.meta.lookup(ctx, t)
		if p := t.parts.Load(); err == nil && p != nil {
			return p, nil
		}
		if err != nil && (!err.Code.Retriable() || err.Code == record.Draining || ctx.Err() != nil) {
			return nil, err
		}
		t.sleep(ctx, pause(tries))
	}
}

// maxLookupPause is how long a topic that the cluster cannot tell of is left alone while a request waits for it.
const maxLookupPause = time.Second

// metadataWait is how long a request may wait for metadata.
func (t *Topic) metadataWait() time.Duration { return max(t.props.MaxBlock, metadataWait) }

func (t *Topic) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-t.closed:
	}
}

// Learn takes over what old knows of the partitions, so that a topic whose settings changed need not ask for them, and its
// budget, so that records that old still holds count. Nothing may have been appended to t.
func (t *Topic) Learn(old *Topic) {
	t.budget = old.budget
	t.budget.resize(t.props.BufferMemory, t.props.BufferRecords)
	t.limit.Store(old.limit.Load())
	if p := old.parts.Load(); p != nil {
		t.parts.Store(&record.Partitions{Topic: t.name, Count: p.Count, Available: p.Available, Load: t.load.grow(p.Count)})
	}
}

// Count is the number of partitions as far as is known now, 0 if nothing is.
func (t *Topic) Count() int {
	if p := t.parts.Load(); p != nil {
		return int(p.Count)
	}
	return 0
}

// refreshAfter is how long an explicit partition that does not exist is refused without asking the cluster again.
const refreshAfter = 250 * time.Millisecond

// PartitionsAtLeast is Partitions, with one forced refresh if the topic has fewer than n as far as is known: it may have
// grown (Java: KafkaProducer.waitOnMetadata).
func (t *Topic) PartitionsAtLeast(n int32) (*record.Partitions, *record.Error) {
	p, err := t.Partitions()
	if err != nil || p.Count >= n {
		return p, err
	}
	last := t.forced.Load()
	now := time.Now().UnixNano()
	if now-last < int64(refreshAfter) || !t.forced.CompareAndSwap(last, now) {
		return p, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.metadataWait())
	defer cancel()
	if err := t.cluster.meta.lookup(ctx, t); err != nil {
		return p, nil // what is known stays true; the caller answers that the partition is not there
	}
	return t.Partitions()
}
