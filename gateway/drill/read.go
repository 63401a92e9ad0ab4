package drill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/drill/check"
)

const readTimeout = 2 * time.Minute

// read reads everything that the topics hold now and that is committed.
func (o *observer) read(ctx context.Context, topics []string) ([]check.LogRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	ends, err := o.ends(ctx, topics)
	if err != nil {
		return nil, err
	}
	from, left := make(map[string]map[int32]kgo.Offset), 0
	ends.Each(func(e kadm.ListedOffset) {
		if e.Offset > 0 {
			if from[e.Topic] == nil {
				from[e.Topic] = make(map[int32]kgo.Offset)
			}
			from[e.Topic][e.Partition] = kgo.NewOffset().AtStart()
			left++
		}
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(o.bootstrap...), kgo.ConsumePartitions(from), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	var log []check.LogRecord
	for left > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("reading %v: %w", topics, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, _ := ends.Lookup(r.Topic, r.Partition)
			if r.Offset < end.Offset && !r.Attrs.IsControl() {
				log = append(log, logRecord(r))
			}
			if r.Offset == end.Offset-1 { // an aborted record is never the last: the marker that aborts it is behind it
				left--
			}
		})
	}
	return log, nil
}

// ends is the ends of the topics once no transaction is open any more, so that every record is committed or aborted.
func (o *observer) ends(ctx context.Context, topics []string) (kadm.ListedOffsets, error) {
	var ends kadm.ListedOffsets
	err := o.until(ctx, func(ctx context.Context) error {
		all, err := o.offsets(ctx, o.adm.ListEndOffsets, topics)
		if err != nil {
			return err
		}
		ends, err = o.offsets(ctx, o.adm.ListCommittedOffsets, topics)
		if err != nil {
			return err
		}
		all.Each(func(e kadm.ListedOffset) {
			if stable, _ := ends.Lookup(e.Topic, e.Partition); stable.Offset != e.Offset {
				err = fmt.Errorf("a transaction is open in partition %d of %s: it ends at %d, and is stable up to %d", e.Partition, e.Topic, e.Offset, stable.Offset)
			}
		})
		return err
	})
	return ends, err
}

type listOffsets func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error)

func (*observer) offsets(ctx context.Context, list listOffsets, topics []string) (kadm.ListedOffsets, error) {
	offsets, err := list(ctx, topics...)
	if err == nil {
		err = offsets.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("the ends of %v: %w", topics, err)
	}
	return offsets, nil
}

// What marks a record as a dead letter, and says what was known of it.
const (
	springHeaders = "kafka_dlt-"
	ownHeaders    = "sluice_dlt-"
	originalTopic = springHeaders + "original-topic"
	outcomeHeader = ownHeaders + "outcome"
)

// logRecord is r as the checker looks at it. The sum of a dead letter is that of the record which it was.
func logRecord(r *kgo.Record) check.LogRecord {
	rec := check.LogRecord{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, ID: payloadID(r.Value), Key: string(r.Key)}
	parts := append(make([][]byte, 0, 2+2*len(r.Headers)), r.Key, r.Value)
	var letter check.Letter
	for _, h := range r.Headers {
		switch {
		case h.Key == originalTopic:
			letter.Topic = string(h.Value)
			rec.Letter = &letter
		case h.Key == outcomeHeader:
			letter.Unknown = string(h.Value) == "unknown"
		case strings.HasPrefix(h.Key, springHeaders), strings.HasPrefix(h.Key, ownHeaders):
		default:
			parts = append(parts, []byte(h.Key), h.Value)
		}
	}
	rec.Sum = check.Sum(parts...)
	return rec
}
