package dlt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// topic is a dead-letter topic up to where it ended when it was opened.
type topic struct {
	*Cluster
	name  string
	id    kadm.TopicID
	parts []part
	pace  *pace // nil: it is not told how much was read
	read  int64 // offsets, for the progress
}

// part is a partition from where it is read up to its end.
type part struct {
	number    int32
	leader    int32
	from, end int64
}

// errEnough ends reading early.
var errEnough = errors.New("enough")

// open looks at where the partitions of a topic begin, or with since where they began to be of interest, and where they end now.
func (c *Cluster) open(ctx context.Context, name string, f *Filter) (*topic, error) {
	t := &topic{Cluster: c, name: name, pace: c.pace()}
	details, err := t.describe(ctx)
	if err != nil {
		return nil, err
	}
	t.id = details.ID
	from, err := c.begins(ctx, name, f.Since)
	if err != nil {
		return nil, err
	}
	ends, err := c.adm.ListCommittedOffsets(ctx, name) // not of what an open transaction holds back
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", name, err)
	}
	for _, p := range details.Partitions.Sorted() {
		begin, end := from[name][p.Partition], ends[name][p.Partition]
		if err := errors.Join(begin.Err, end.Err); err != nil {
			return nil, fmt.Errorf("topic %s, partition %d: %w", name, p.Partition, err)
		}
		one := part{number: p.Partition, leader: p.Leader, from: begin.Offset, end: end.Offset}
		if begin.Offset < 0 { // nothing so late
			one.from = one.end
		}
		if f.At != nil && f.At.Partition != one.number {
			continue
		}
		if f.At != nil {
			one.from = max(one.from, f.At.Offset)
		}
		t.parts = append(t.parts, one)
	}
	return t, nil
}

func (c *Cluster) begins(ctx context.Context, name string, since time.Time) (l kadm.ListedOffsets, err error) {
	if since.IsZero() {
		l, err = c.adm.ListStartOffsets(ctx, name)
	} else {
		l, err = c.adm.ListOffsetsAfterMilli(ctx, since.UnixMilli(), name)
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", name, err)
	}
	return l, nil
}

func (t *topic) describe(ctx context.Context) (kadm.TopicDetail, error) {
	all, err := t.adm.ListTopicsWithInternal(ctx, t.name)
	if err != nil {
		return kadm.TopicDetail{}, fmt.Errorf("topic %s: %w", t.name, err)
	}
	d := all[t.name]
	switch {
	case errors.Is(d.Err, kerr.UnknownTopicOrPartition):
		return d, fmt.Errorf("the cluster has no topic %q", t.name)
	case d.Err != nil:
		return d, fmt.Errorf("topic %s: %w", t.name, d.Err)
	}
	return d, nil
}

// marks is where the letters of a partition were replayed to, by their IDs.
func (t *topic) marks(ctx context.Context, p *part) (map[string]string, error) {
	marks := make(map[string]string)
	err := t.records(ctx, p, func(r *kgo.Record) error {
		if id, to, ok := markOf(r); ok {
			if to == "" {
				to = "somewhere"
			}
			marks[id] = to
		}
		return nil
	})
	return marks, err
}

// letters calls each with every letter of a partition that the filter wants, in order. Its Limit and Pending are the caller's.
func (t *topic) letters(ctx context.Context, p *part, f *Filter, marks map[string]string, each func(*Letter) error) (others int, err error) {
	err = t.records(ctx, p, func(r *kgo.Record) error {
		l := letterOf(r)
		if l == nil {
			if _, _, mark := markOf(r); !mark {
				others++
			}
			return nil
		}
		if !f.wants(l) {
			return nil
		}
		l.Replayed = marks[l.ID]
		return each(l)
	})
	return others, err
}
