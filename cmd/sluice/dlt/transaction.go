package dlt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/deadletter"
)

const (
	transactionTimeout = time.Minute // after which brokers abort what was left open
	endTimeout         = 30 * time.Second
	maxBatchBytes      = 64 << 20 // a record may be as large as the broker lets it; chunks are smaller
)

// transactions writes to Kafka in transactions. It belongs to one goroutine.
type transactions struct {
	client  *kgo.Client
	topic   string // the dead-letter topic
	id      string
	timeout time.Duration // of producing
}

// beginReplay fences whoever replays this dead-letter topic already, and ends what that left open.
func (c *Cluster) beginReplay(ctx context.Context, topic string, timeout time.Duration) (*transactions, error) {
	t := &transactions{topic: topic, id: "sluice-dlt-replay-" + topic, timeout: min(timeout, transactionTimeout)}
	options := append([]kgo.Opt{}, c.options...)
	options = append(options, kgo.TransactionalID(t.id), kgo.TransactionTimeout(transactionTimeout), kgo.RecordPartitioner(keptOrByKey{}),
		kgo.UnknownTopicRetries(3), kgo.ProducerBatchMaxBytes(maxBatchBytes))
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, transactionTimeout)
	defer cancel()
	if _, _, err := client.ProducerID(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("transactional id %s: %w", t.id, err)
	}
	t.client = client
	return t, nil
}

func (t *transactions) close() { t.client.Close() }

// errFenced ends a run after which another one was started.
var errFenced = errors.New("another replay of this dead-letter topic was started, and this one ends; what it did is marked")

// explain makes the errors of a producer that was fenced one that says so.
func (t *transactions) explain(err error) error {
	if isFenced(err) {
		return fmt.Errorf("transactional id %s: %w (%w)", t.id, errFenced, err)
	}
	return err
}

// run runs do in a transaction: what it produces is visible if it returns nil, and never if not.
func (t *transactions) run(ctx context.Context, do func() error) error {
	if err := t.client.BeginTransaction(); err != nil {
		return t.explain(err)
	}
	err := do()
	// Ctrl-C must not leave a transaction open.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if err == nil {
		if err = t.client.EndTransaction(ctx, kgo.TryCommit); err == nil {
			return nil
		}
		err = fmt.Errorf("the transaction could not be committed; if it was nevertheless, the next run sees it: %w", err)
	}
	if abort := t.abort(ctx, err); abort != nil {
		return fmt.Errorf("%s; and it cannot be aborted: %w", err.Error(), abort)
	}
	return t.explain(err)
}

// abort ends a transaction that failed with cause.
func (t *transactions) abort(ctx context.Context, cause error) error {
	err := t.client.AbortBufferedRecords(ctx)
	if err == nil {
		err = t.client.EndTransaction(ctx, kgo.TryAbort)
	}
	if err == nil || isFenced(cause) { // the other one has aborted it
		return nil
	}
	return t.explain(err)
}

// produce produces records and returns the errors of those that failed. Its own error is that nobody answers: kgo does not give
// up what a broker may have got, and its delivery timeout begins with the timestamp of a record, which is an old one here.
func (t *transactions) produce(ctx context.Context, records []*kgo.Record) (map[*kgo.Record]error, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	done := make(chan kgo.ProduceResults, 1)
	go func() { done <- t.client.ProduceSync(ctx, records...) }()
	select {
	case results := <-done:
		failed := make(map[*kgo.Record]error)
		for _, r := range results {
			if r.Err != nil {
				failed[r.Record] = r.Err
			}
		}
		return failed, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no broker took the records within %v: %w", t.timeout, ctx.Err())
	}
}

// mark is what is written about a letter that was replayed.
type mark struct {
	letter *Letter
	to     string
}

// write writes marks, within a transaction.
func (t *transactions) write(ctx context.Context, marks []mark) error {
	records := make([]*kgo.Record, len(marks))
	for i, m := range marks {
		records[i] = &kgo.Record{Topic: t.topic, Partition: m.letter.Record.Partition}
		for _, h := range deadletter.Mark(m.letter.ID, m.to) {
			records[i].Headers = append(records[i].Headers, kgo.RecordHeader(h))
		}
	}
	failed, err := t.produce(ctx, records)
	if err != nil {
		return err
	}
	for _, err := range failed {
		return fmt.Errorf("what was replayed cannot be marked in %s: %w", t.topic, err)
	}
	return nil
}

// keptOrByKey is Java's partitioner for records that have no partition, or one that there is not.
type keptOrByKey struct{}

// ForTopic implements kgo.Partitioner.
func (keptOrByKey) ForTopic(topic string) kgo.TopicPartitioner {
	return &keptOrByKeyTopic{kgo.StickyKeyPartitioner(nil).ForTopic(topic)}
}

type keptOrByKeyTopic struct{ kgo.TopicPartitioner }

func (p *keptOrByKeyTopic) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.TopicPartitioner.RequiresConsistency(r)
}

func (p *keptOrByKeyTopic) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 && int(r.Partition) < n {
		return int(r.Partition)
	}
	return p.TopicPartitioner.Partition(r, n)
}

// OnNewBatch implements kgo.TopicPartitionerOnNewBatch: records without a key change their partition with the batch.
func (p *keptOrByKeyTopic) OnNewBatch() {
	if on, ok := p.TopicPartitioner.(kgo.TopicPartitionerOnNewBatch); ok {
		on.OnNewBatch()
	}
}
