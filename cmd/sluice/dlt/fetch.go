package dlt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	fetchBytes    = 4 << 20
	fetchWait     = time.Second
	fetchAttempts = 20 // in a row without getting on, with a second between them
)

// records calls each with all committed records of a partition, in order. It asks for them itself, because a consumer of kgo
// does not say that it has come to an end which is not a record but, say, the end of a transaction.
func (t *topic) records(ctx context.Context, p *part, each func(*kgo.Record) error) error {
	leader, vain := p.leader, 0
	for at := p.from; at < p.end; {
		got, next, err := t.fetch(ctx, leader, p.number, at)
		if errors.Is(err, kerr.OffsetOutOfRange) { // retention was here since the topic was opened
			next, err = t.startOf(ctx, p.number)
		}
		if err == nil && next > at {
			vain = 0
			if err := t.hand(got, p, each); err != nil {
				return err
			}
			t.advance(min(next, p.end) - at)
			at = next
			continue
		}
		if vain++; vain == fetchAttempts || isKafka(err) && !kerr.IsRetriable(err) || ctx.Err() != nil {
			return t.stuck(ctx, p.number, at, err)
		}
		if leader, err = t.leaderOf(ctx, p.number); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *topic) startOf(ctx context.Context, partition int32) (int64, error) {
	starts, err := t.adm.ListStartOffsets(ctx, t.name)
	if err != nil {
		return -1, err
	}
	start := starts[t.name][partition]
	return start.Offset, start.Err
}

func (t *topic) stuck(ctx context.Context, partition int32, at int64, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return fmt.Errorf("topic %s, partition %d: the broker has nothing at offset %d, before the end", t.name, partition, at)
	default:
		return fmt.Errorf("topic %s, partition %d, offset %d: %w", t.name, partition, at, err)
	}
}

// hand gives records on that are before the end.
func (t *topic) hand(got []*kgo.Record, p *part, each func(*kgo.Record) error) error {
	for _, r := range got {
		if r.Offset >= p.end {
			return nil
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// advance tells how far the two readings of the topic are.
func (t *topic) advance(n int64) {
	if t.pace == nil { // several goroutines read, and tell of something else
		return
	}
	t.read += n
	if !t.pace.due() {
		return
	}
	total := int64(1)
	for i := range t.parts {
		total += 2 * (t.parts[i].end - t.parts[i].from)
	}
	t.pace.tell("%s: reading, %d %%", t.name, 100*t.read/total)
}

// fetch asks the leader of a partition for committed records, and returns where to go on.
func (t *topic) fetch(ctx context.Context, leader, partition int32, at int64) ([]*kgo.Record, int64, error) {
	resp, err := t.client.Broker(int(leader)).RetriableRequest(ctx, t.fetchRequest(partition, at))
	if err != nil {
		return nil, at, err
	}
	answer := resp.(*kmsg.FetchResponse) //nolint:forcetypeassert // kgo gives every request its own response
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return nil, at, err
	}
	if len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return nil, at, nil
	}
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: at, IsolationLevel: kgo.ReadCommitted(), Topic: t.name, Partition: partition,
	}, &answer.Topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	return got.Records, next, got.Err
}

func (t *topic) fetchRequest(partition int32, at int64) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, at, fetchBytes
	of := kmsg.NewFetchRequestTopic()
	of.Topic, of.TopicID = t.name, t.id
	of.Partitions = append(of.Partitions, p)
	q := kmsg.NewPtrFetchRequest()
	q.MaxWaitMillis, q.MinBytes, q.MaxBytes = int32(fetchWait.Milliseconds()), 1, fetchBytes
	q.IsolationLevel, q.SessionEpoch = 1, -1 // read_committed, without a session
	q.Topics = append(q.Topics, of)
	return q
}

// leaderOf waits a little and asks who leads a partition now.
func (t *topic) leaderOf(ctx context.Context, partition int32) (int32, error) {
	select {
	case <-time.After(fetchWait):
	case <-ctx.Done():
		return -1, ctx.Err()
	}
	d, err := t.describe(ctx)
	return d.Partitions[partition].Leader, err
}
