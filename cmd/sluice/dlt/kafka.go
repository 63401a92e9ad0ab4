package dlt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/deadletter"
)

// How much goes into one transaction. The bytes are fewer than brokers take in a batch by default, which is 1 MiB.
const (
	chunkLetters = 500
	chunkBytes   = 512 << 10
)

// viaKafka replays letters straight to their topics.
type viaKafka struct {
	run   *run
	txn   *transactions
	chunk []*Letter
	size  int
}

// partition replays the letters of one partition.
func (k *viaKafka) partition(ctx context.Context, p *part, marks map[string]string) error {
	k.chunk, k.size = nil, 0
	err := k.run.pending(ctx, p, marks, func(l *Letter) error {
		if len(k.chunk) > 0 && (len(k.chunk) == chunkLetters || k.size+l.size() > chunkBytes) {
			if err := k.flush(ctx); err != nil {
				return err
			}
		}
		k.chunk = append(k.chunk, l)
		k.size += l.size()
		return nil
	})
	if err != nil {
		return err
	}
	return k.flush(ctx)
}

func (k *viaKafka) flush(ctx context.Context) error {
	chunk := k.chunk
	k.chunk, k.size = nil, 0
	if len(chunk) == 0 {
		return nil
	}
	return k.send(ctx, chunk)
}

// send replays letters in one transaction. If a broker refuses some, the others go without them: those of a topic that it takes
// nothing for are left out, and of records the one that it does not take is found by halving.
func (k *viaKafka) send(ctx context.Context, letters []*Letter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	records := make([]*kgo.Record, len(letters))
	for i, l := range letters {
		records[i] = l.again(k.run.destination(l), k.run.KeepPartition)
	}
	var failed map[*kgo.Record]error
	err := k.txn.run(ctx, func() (err error) {
		if failed, err = k.txn.produce(ctx, records); err != nil {
			return err
		}
		if len(failed) > 0 {
			return errRefused
		}
		return k.txn.write(ctx, places(letters, records))
	})
	if errors.Is(err, errRefused) {
		return k.without(ctx, letters, records, failed)
	}
	if err != nil {
		return err
	}
	for _, m := range places(letters, records) {
		k.run.settle(m.letter, result{outcome: replayed, to: m.to})
	}
	return nil
}

// errRefused aborts a transaction of whose records some were refused.
var errRefused = errors.New("refused")

// places is the marks of letters whose records were produced.
func places(letters []*Letter, records []*kgo.Record) []mark {
	marks := make([]mark, len(letters))
	for i, r := range records {
		marks[i] = mark{letters[i], deadletter.Place(r.Topic, r.Partition, r.Offset)}
	}
	return marks
}

// without goes on after a transaction that was aborted because some of its records failed.
func (k *viaKafka) without(ctx context.Context, letters []*Letter, records []*kgo.Record, failed map[*kgo.Record]error) error {
	var rest []*Letter
	for i, r := range records {
		err := failed[r]
		switch {
		case err == nil, aboutRecord(err) && len(letters) > 1:
			rest = append(rest, letters[i])
		case aboutRecord(err), aboutTopic(err):
			k.run.settle(letters[i], refusal(err))
		default:
			return fmt.Errorf("topic %s: %w", r.Topic, k.txn.explain(err))
		}
	}
	switch half := len(rest) / 2; {
	case len(rest) == 0:
		return nil
	case len(rest) < len(letters):
		return k.send(ctx, rest)
	default:
		if err := k.send(ctx, rest[:half]); err != nil {
			return err
		}
		return k.send(ctx, rest[half:])
	}
}

// refusal is the result of a letter whose record a broker does not take.
func refusal(err error) result {
	code := "error"
	if e, ok := errors.AsType[*kerr.Error](err); ok {
		code = strings.ToLower(e.Message)
	}
	return result{outcome: refused, code: code, message: err.Error()}
}
