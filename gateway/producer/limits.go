package producer

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/record"
)

const (
	maxMessageBytes = "max.message.bytes"
	// limitAge is how old a topic's max.message.bytes may be for a record to be refused because of it.
	limitAge = 250 * time.Millisecond
)

// sizeLimit is max.message.bytes of a topic, as the cluster told it.
type sizeLimit struct {
	bytes int
	at    time.Time
}

// limits asks the cluster for max.message.bytes of topics. What cannot be asked, for want of the right DescribeConfigs or of a
// cluster, is not known, and no record is refused because of it.
type limits struct {
	kgo *kgo.Client
	log *slog.Logger

	mu    sync.Mutex
	asked map[*Topic]chan struct{} // closed once the topic has its answer
	wake  chan struct{}
}

func newLimits(k *kgo.Client, log *slog.Logger) *limits {
	return &limits{kgo: k, log: log, asked: make(map[*Topic]chan struct{}), wake: make(chan struct{}, 1)}
}

// ask has t.limit looked up. It never blocks; what it returns is closed when that is done.
func (l *limits) ask(t *Topic) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := l.asked[t]
	if done == nil {
		done = make(chan struct{})
		l.asked[t] = done
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return done
}

func (l *limits) run(ctx context.Context) {
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			return
		}
		l.mu.Lock()
		asked := l.asked
		l.asked = make(map[*Topic]chan struct{})
		l.mu.Unlock()
		l.answer(ctx, asked)
	}
}

func (l *limits) answer(ctx context.Context, asked map[*Topic]chan struct{}) {
	var names []string
	for t := range asked {
		if !slices.Contains(names, t.name) {
			names = append(names, t.name)
		}
	}
	at := time.Now()
	found, err := l.describe(ctx, names)
	if err != nil {
		l.log.Debug("cannot ask for max.message.bytes", "error", err)
	}
	for t, done := range asked {
		var limit *sizeLimit
		if n := found[t.name]; n > 0 {
			limit = &sizeLimit{n, at}
		}
		t.limit.Store(limit)
		close(done)
	}
}

func (l *limits) describe(ctx context.Context, names []string) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range names {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, name, []string{maxMessageBytes}
		req.Resources = append(req.Resources, r)
	}
	resp, err := req.RequestWith(ctx, l.kgo)
	if err != nil {
		return nil, err
	}
	found := make(map[string]int, len(names))
	for i := range resp.Resources {
		r := &resp.Resources[i]
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			l.log.Debug("cannot ask for max.message.bytes", "topic", r.ResourceName, "error", err)
			continue
		}
		for _, c := range r.Configs {
			if c.Name != maxMessageBytes || c.Value == nil {
				continue
			}
			if n, err := strconv.Atoi(*c.Value); err == nil {
				found[r.ResourceName] = n
			}
		}
	}
	return found, nil
}

// unfit says why the broker would refuse r whatever it is sent with; nil if it may take it. codec is the compression.type that
// it would be sent with: how small a record gets is not known beforehand, so only those are refused that go as they are. The
// limit may have grown, so what it is now is asked for before a record is refused.
func (t *Topic) unfit(r *record.Record, codec string) *record.Error {
	l := t.limit.Load()
	if l == nil || codec != "none" && codec != "" || batchOfOne(r) <= l.bytes {
		return nil
	}
	if time.Since(l.at) > limitAge {
		timer := time.NewTimer(t.metadataWait())
		defer timer.Stop()
		select {
		case <-t.cluster.limits.ask(t):
		case <-timer.C:
			return nil
		case <-t.closed:
			return nil
		}
		if l = t.limit.Load(); l == nil {
			return nil
		}
	}
	size := batchOfOne(r)
	if size <= l.bytes {
		return nil
	}
	return record.Errorf(record.RecordTooLarge, "the record is %d bytes with its batch header, more than %s = %d of topic %q in the cluster",
		size, maxMessageBytes, l.bytes, t.name)
}

// batchOfOne is the size of a batch that holds r alone, uncompressed (Kafka: DefaultRecordBatch, DefaultRecord).
func batchOfOne(r *record.Record) int {
	const attributesAndDeltas = 3 // the deltas of a batch's first record are 0
	body := attributesAndDeltas + field(r.Key) + field(r.Value) + varint(len(r.Headers))
	for i := range r.Headers {
		h := &r.Headers[i]
		body += varint(len(h.Key)) + len(h.Key) + field(h.Value)
	}
	return batchHeader + varint(body) + body
}

const batchHeader = 61

// field is the size of bytes that may be null, with their length in front.
func field(p []byte) int {
	if p == nil {
		return 1
	}
	return varint(len(p)) + len(p)
}

// varint is the size of n >= 0 as a zigzag varint.
func varint(n int) int {
	size := 1
	for u := uint64(n) << 1; u >= 0x80; u >>= 7 {
		size++
	}
	return size
}
