package drill

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/drill/check"
)

const (
	answerTimeout = 20 * time.Second // of a sender's patience
	hangUpOne     = 100              // one request of so many is given up by its sender within hangUpWithin
	hangUpWithin  = 40 * time.Millisecond
)

// sender sends one request after the other, each after the answer to the one before.
type sender struct {
	client  int
	prefix  string // of the ids, unique to the round
	addr    string
	topics  []string // of a transaction several, in turn
	form    form
	letters string // topic of the dead letters; "" if there are none
	clocks  *wrongClocks
	odd     bool // now and then a record is one that the topic's module refuses

	request, seq int64
}

func (s *sender) name() string { return fmt.Sprintf("client-%d", s.client) }

// forms is senders to the same topics.
func forms(forms []form, topics ...string) []sender {
	senders := make([]sender, len(forms))
	for i, f := range forms {
		senders[i] = sender{topics: topics, form: f}
	}
	return senders
}

// load is all senders, and what came of their records.
type load struct {
	history *check.Writer
	stop    context.CancelFunc
	wg      sync.WaitGroup

	mu      sync.Mutex
	entries []check.Entry
	stored  map[string]*atomic.Int64 // by topic, and for transactions: when the last record was sent that is stored, or in a spool
}

// allTransactions stands for them among the topics of load.stored.
const allTransactions = "transactions"

// serves is what the sender is told of as stored.
func (s *sender) serves() []string {
	names := slices.Clone(s.topics)
	if s.letters != "" {
		names = append(names, s.letters)
	}
	if s.form == transaction {
		names = append(names, allTransactions)
	}
	return names
}

// startLoad lets the senders send to addr until stop, rate requests per second in all.
func startLoad(ctx context.Context, senders []sender, prefix, addr string, rate int, history *check.Writer) *load {
	ctx, stop := context.WithCancel(ctx)
	l := &load{history: history, stop: stop, stored: make(map[string]*atomic.Int64)}
	for i := range senders {
		for _, name := range senders[i].serves() {
			l.stored[name] = new(atomic.Int64)
		}
	}
	for i := range senders {
		s := &senders[i]
		s.client, s.prefix, s.addr = i, prefix, addr
		l.wg.Go(func() { l.run(ctx, s, time.Second*time.Duration(len(senders))/time.Duration(rate)) })
	}
	return l
}

// end stops the senders, waits for their last answers and returns the history.
func (l *load) end() []check.Entry {
	l.stop()
	l.wg.Wait()
	return l.entries
}

func (l *load) run(ctx context.Context, s *sender, every time.Duration) {
	transport := &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: answerTimeout}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.add(s.send(context.WithoutCancel(ctx), client))
		}
	}
}

func (l *load) add(entries []check.Entry) {
	for i := range entries {
		e := &entries[i]
		l.history.Append(e)
		switch e.Outcome() {
		case check.Stored:
			l.stored[e.Topic].Store(e.Sent)
			if e.Tx {
				l.stored[allTransactions].Store(e.Sent)
			}
		case check.DeadLettered:
			if last := l.stored[e.Letter.Topic]; last != nil { // else it is a finding
				last.Store(e.Sent)
			}
		case check.Accepted:
			if e.Spooled { // nobody is told when it is stored
				l.stored[e.Topic].Store(e.Sent)
			}
		case check.Refused, check.Unknown:
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entries...)
}

// storedSince says whether every topic stored a record that was sent after a time.
func (l *load) storedSince(at int64) bool {
	for _, last := range l.stored {
		if last.Load() < at {
			return false
		}
	}
	return true
}

// send sends one request and waits for its answer.
func (s *sender) send(ctx context.Context, client *http.Client) []check.Entry {
	entries := s.next()
	if rand.IntN(hangUpOne) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rand.N(hangUpWithin))
		defer cancel()
	}
	req, err := s.httpRequest(ctx, entries)
	sent := now()
	status, body := 0, []byte(nil)
	if err == nil {
		status, body, err = do(client, req)
	}
	answered := now()
	for i := range entries {
		entries[i].Sent, entries[i].Answered = sent, answered
	}
	if err != nil {
		noteFailure(entries, err)
	} else {
		note(entries, status, body)
	}
	return entries
}

func do(client *http.Client, req *http.Request) (int, []byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// next makes the entries of the next request.
func (s *sender) next() []check.Entry {
	entries := make([]check.Entry, s.form.size())
	for i := range entries {
		entries[i] = check.Entry{
			ID: fmt.Sprintf("%s-c%d-%d", s.prefix, s.client, s.seq), Client: s.client, Request: s.request, Seq: s.seq,
			Topic: s.topics[i%len(s.topics)], Key: s.key(), Queued: !s.form.waits(), Spooled: s.form.onDisk(), Tx: s.form == transaction, Partition: -1, Offset: -1,
		}
		s.seq++
	}
	s.request++
	return entries
}

// key is that of the next record: one of few, so that every key has a long row of records.
func (s *sender) key() string {
	n := s.request
	switch s.form {
	case unkeyed:
		return ""
	case envelopes, transaction:
		n = s.seq
	case keyed, values, queued, spooled, bulky:
	}
	return fmt.Sprintf("k%d-%d", s.client, n%keysEach)
}

func now() int64 { return time.Now().UnixMicro() }

// silent names the topics that have stored nothing since.
func (l *load) silent(at int64) string {
	var names []string
	for topic, last := range l.stored {
		if last.Load() < at {
			names = append(names, topic)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
