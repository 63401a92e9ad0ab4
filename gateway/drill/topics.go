package drill

import (
	"context"
	"fmt"
	"strings"
)

const partitions = 3

// topics are those of a round, see the package's comment.
type topics struct{ steady, brisk, frail, fussy, dead, spooled, cramped string }

func newTopics(prefix string) topics {
	return topics{prefix + "-steady", prefix + "-brisk", prefix + "-frail", prefix + "-fussy", prefix + "-fussy.DLT", prefix + "-spooled", prefix + "-cramped"}
}

func (t *topics) all() []string {
	return []string{t.steady, t.brisk, t.frail, t.fussy, t.dead, t.spooled, t.cramped}
}

// fussyBytes is the largest batch that the brokers take in the fussy topic: less than a large record, more than others.
const fussyBytes = "3000"

// create creates the topics of a round. Records of any age stay in them.
func (s *stage) create(ctx context.Context) error {
	for _, topic := range s.all() {
		if err := s.observer.create(ctx, topic, partitions, map[string]string{"retention.ms": "-1"}); err != nil {
			return err
		}
	}
	return s.observer.set(ctx, s.fussy, maxMessageBytes, fussyBytes)
}

// settings are the sections of the gateway's configuration that a round is about.
func (s *stage) settings() string {
	var b strings.Builder
	table := func(name string, lines ...string) { fmt.Fprintf(&b, "[%s]\n%s\n", name, strings.Join(lines, "\n")) }
	topic := func(name string, lines ...string) { table(fmt.Sprintf("topics.%q", name), lines...) }
	table("producer", `acks = "all"`, "max.block.ms = 0", "request.timeout.ms = 3000")
	topic(s.steady, "producer.delivery.timeout.ms = 120000", "producer.buffer.memory = 262144", "producer.max.request.size = 65536")
	topic(s.brisk, "producer.delivery.timeout.ms = 3000", "producer.request.timeout.ms = 1500")
	topic(s.frail, "producer.delivery.timeout.ms = 15000")
	fussy := []string{"producer.delivery.timeout.ms = 5000", "producer.request.timeout.ms = 2000", "dead_letter.enable = true"}
	if s.guarded {
		fussy = append(fussy, `interceptors = [{ module = "schema-guard", on_error = "dlq", config = { optional = { "/odd" = "integer" } } }]`)
	}
	topic(s.fussy, fussy...)
	topic(s.dead, "producer.delivery.timeout.ms = 120000")
	topic(s.spooled, `spool.dir = "spool"`, "spool.max.bytes = 67108864", fmt.Sprintf("dead_letter.topic = %q", s.dead))
	topic(s.cramped, `spool.dir = "spool"`, fmt.Sprintf("spool.max.bytes = %d", crampedBytes), `spool.fsync = "interval"`, "producer.max.request.size = 65536")
	transactions := []string{
		fmt.Sprintf("transactional.id.prefix = %q", s.prefix), "transactional.id.pool.size = 2", "transaction.timeout.ms = 10000", "transaction.max.block.ms = 2000",
	}
	if s.shared {
		transactions = append(transactions, "transaction.linger.ms = 20")
	}
	table("transactions", transactions...)
	return b.String()
}

// senders are those of a round. Only steady and fussy have records that nobody waits for: what a broker refuses or cannot take
// of those that are sent to another topic is lost.
func (s *stage) senders() []sender {
	waiting := []form{keyed, keyed, unkeyed, values, envelopes}
	all := forms(waiting, s.steady)
	all = append(all, forms([]form{queued, queued}, s.steady)...)
	all = append(all, forms(waiting, s.brisk)...)
	all = append(all, forms(waiting, s.frail)...)
	fussy := forms([]form{keyed, unkeyed, values, envelopes, queued, queued}, s.fussy)
	for i := range fussy {
		fussy[i].letters, fussy[i].odd = s.dead, s.guarded
	}
	all = append(all, fussy...)
	onDisk := forms([]form{spooled, spooled}, s.spooled)
	for i := range onDisk {
		onDisk[i].letters = s.dead
	}
	all = append(all, onDisk...)
	all = append(all, forms([]form{bulky, bulky}, s.cramped)...)
	all = append(all, forms([]form{transaction, transaction}, s.steady, s.brisk)...)
	all = append(all, forms([]form{transaction}, s.brisk, s.frail)...)
	all = append(all, forms([]form{transaction}, s.steady, s.fussy)...)
	for i := range all {
		all[i].clocks = &s.clocks
	}
	return all
}

func topicRecreate(ctx context.Context, s *stage) (end, error) {
	back := s.wipe(s.frail)
	if err := s.observer.delete(ctx, s.frail); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if err := s.observer.create(ctx, s.frail, partitions, nil); err != nil {
			return err
		}
		back()
		return nil
	}, nil
}

func partitionsAdd(ctx context.Context, s *stage) (end, error) {
	s.growing(s.brisk)
	return nothing, s.observer.grow(ctx, s.brisk, partitions)
}

const maxMessageBytes = "max.message.bytes"

func messageShrink(ctx context.Context, s *stage) (end, error) {
	return func(ctx context.Context) error { return s.observer.set(ctx, s.frail, maxMessageBytes, "") },
		s.observer.set(ctx, s.frail, maxMessageBytes, "2000")
}
