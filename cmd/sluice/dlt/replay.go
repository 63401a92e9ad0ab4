package dlt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"
)

// The ways that a replay may go.
const (
	ViaGateway = "gateway"
	ViaKafka   = "kafka"
)

// parallel is how many partitions are replayed via a gateway at a time.
const parallel = 8

// Replay is what to replay, and how.
type Replay struct {
	Topic         string // the dead-letter topic
	Filter        Filter // without Pending and At
	Via           string
	URL           string // of the gateway
	To            string // topic; "" is where each record was sent to
	KeepPartition bool
	DryRun        bool
	Timeout       time.Duration // how long to try with one letter

	// Written says what writes the keys or values of a topic's records, as "value.serializer = avro"; "" if they go as they were sent.
	// nil is nothing for all topics. Letters are as they were sent, so that straight to Kafka they would be stored unwritten.
	Written func(topic string) string
}

// ErrNotAll says that some letters were not replayed.
var ErrNotAll = errors.New("not replayed")

// ErrAgain says that some letters became dead letters again, and nothing else went wrong.
var ErrAgain = errors.New("dead-lettered again")

var errInterrupted = errors.New("interrupted; what was replayed is marked, and the same command goes on with the rest")

// Replay sends the records of letters that were not replayed yet, marks them, and prints what became of them. Its error wraps
// ErrNotAll if some were refused, or ErrAgain; any other one ended it early.
func (c *Cluster) Replay(ctx context.Context, w io.Writer, how Replay) error {
	r := &run{Replay: how, marks: make(map[int32]map[string]string)}
	if !how.DryRun {
		txn, err := c.beginReplay(ctx, how.Topic, how.Timeout) // before anything is read, so that no other run can mark any more
		if err != nil {
			return err
		}
		defer txn.close()
		r.txn = txn
	}
	t, err := c.open(ctx, how.Topic, &how.Filter)
	if err != nil {
		return err
	}
	r.topic = t
	if err := r.count(ctx); err != nil {
		return err
	}
	if how.DryRun {
		return r.dry(ctx, w)
	}
	r.pace, t.pace = c.pace(), nil
	ended := r.all(ctx)
	r.summary.write(w, &r.Replay, r.total)
	return r.verdict(ended)
}

// run is one replay.
type run struct {
	Replay
	topic *topic
	txn   *transactions
	marks map[int32]map[string]string // by partition; those of a partition belong to who replays it
	quota map[int32]int               // how many letters of a partition are to be replayed
	total int

	mu      sync.Mutex // guards what follows
	summary summary
	pace    *pace
}

// count finds out how many letters there are to replay in every partition.
func (r *run) count(ctx context.Context) error {
	r.quota = make(map[int32]int)
	for i := range r.topic.parts {
		p := &r.topic.parts[i]
		marks, err := r.topic.marks(ctx, p)
		if err != nil {
			return err
		}
		r.marks[p.number] = marks
		_, err = r.topic.letters(ctx, p, &r.Filter, marks, func(l *Letter) error {
			switch {
			case l.Replayed != "":
				r.summary.skipped++
			case r.Filter.Limit == 0 || r.total < r.Filter.Limit:
				r.quota[p.number]++
				r.total++
				return r.writable(r.destination(l))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writable refuses to store what was sent in a topic whose records are written in another form.
func (r *run) writable(topic string) error {
	if r.Via != ViaKafka || r.Written == nil {
		return nil
	}
	if what := r.Written(topic); what != "" {
		return fmt.Errorf("records of topic %s are written with %s, and dead letters are as they were sent: replay them via the gateway", topic, what)
	}
	return nil
}

// pending calls each with the letters of a partition that are to be replayed, in order.
func (r *run) pending(ctx context.Context, p *part, marks map[string]string, each func(*Letter) error) error {
	left := r.quota[p.number]
	if left == 0 {
		return nil
	}
	seen := make(map[string]bool) // a letter may be there twice
	_, err := r.topic.letters(ctx, p, &r.Filter, marks, func(l *Letter) error {
		if l.Replayed != "" {
			return nil
		}
		if left == 0 {
			return errEnough
		}
		left--
		if seen[l.ID] {
			r.twice()
			return nil
		}
		seen[l.ID] = true
		return each(l)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// twice counts a letter that is a copy of one that was just replayed.
func (r *run) twice() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total--
	r.summary.skipped++
}

// destination is the topic that a record is sent to.
func (r *run) destination(l *Letter) string {
	if r.To != "" {
		return r.To
	}
	return l.Topic
}

func (r *run) all(ctx context.Context) error {
	if r.Via == ViaGateway {
		return r.viaGateway(ctx)
	}
	k := &viaKafka{run: r, txn: r.txn}
	for i := range r.topic.parts {
		p := &r.topic.parts[i]
		if err := k.partition(ctx, p, r.marks[p.number]); err != nil {
			return err
		}
	}
	return nil
}

// viaGateway replays several partitions at a time, the letters of each one after the other.
func (r *run) viaGateway(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g := newGateway(r.URL, r.Timeout, r.KeepPartition)
	defer g.http.CloseIdleConnections()
	m := newMarker(ctx, r.txn, cancel)
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range r.topic.parts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := r.partitionVia(ctx, g, m, &r.topic.parts[i]); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	cause := context.Cause(ctx)
	if err := m.close(); err != nil {
		return err
	}
	return cause
}

func (r *run) partitionVia(ctx context.Context, g *gateway, m *marker, p *part) error {
	marks := r.marks[p.number]
	return r.pending(ctx, p, marks, func(l *Letter) error {
		res, err := g.send(ctx, l, r.destination(l))
		if err != nil {
			return err
		}
		if res.outcome != refused {
			m.in <- mark{l, res.to}
		}
		r.settle(l, res)
		return nil
	})
}

// settle counts what became of a letter.
func (r *run) settle(l *Letter, res result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.add(l, res)
	if r.pace.due() {
		n := r.summary.settled()
		r.pace.tell("%s: %d of %d letters, %.0f/s", r.Topic, n, r.total, r.pace.rate(n))
	}
}

func (r *run) verdict(ended error) error {
	if errors.Is(ended, context.Canceled) {
		return errInterrupted
	}
	if ended != nil {
		return ended
	}
	again := r.summary.counts[lettered]
	switch n := r.total - r.summary.counts[replayed] - r.summary.counts[dropped] - again; {
	case n > 0:
		return fmt.Errorf("%d of %s: %w", n, count(r.total, "letter"), ErrNotAll)
	case again > 0:
		return fmt.Errorf("%d of %s: %w", again, count(r.total, "letter"), ErrAgain)
	}
	return nil
}

// dry prints what a replay would do.
func (r *run) dry(ctx context.Context, w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "LETTER\tTO\tTIMESTAMP\tKEY\tVALUE\tID")
	unknown, rows := 0, 0
	for i := range r.topic.parts {
		p := &r.topic.parts[i]
		err := r.pending(ctx, p, r.marks[p.number], func(l *Letter) error {
			if l.Unknown {
				unknown++
			}
			value := "null"
			if l.Record.Value != nil {
				value = count(len(l.Record.Value), "byte")
			}
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", l.at(), r.target(l), localTime(l.sentAt()), bytesText(l.Record.Key, keyWidth), value, orDash(l.ID))
			if rows++; rows%tableRows == 0 {
				return out.Flush()
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if rows > 0 {
		if err := out.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%s: %s would be replayed %s; %d were before\n", r.Topic, count(r.total, "letter"), r.way(), r.summary.skipped)
	if unknown > 0 {
		fmt.Fprintf(w, "%d of them may be in their topic already, see --outcome\n", unknown)
	}
	return nil
}

// target is where a letter would be replayed to.
func (r *run) target(l *Letter) string {
	if again := l.again(r.destination(l), r.KeepPartition); again.Partition >= 0 {
		return fmt.Sprintf("%s-%d", line(again.Topic, messageWidth), again.Partition)
	}
	return line(r.destination(l), messageWidth)
}

// way is how letters are replayed, in words.
func (r *Replay) way() string {
	if r.Via == ViaGateway {
		return "via the gateway at " + r.URL
	}
	return "straight to Kafka"
}
