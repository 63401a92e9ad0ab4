package config

import (
	"fmt"
	"strings"
	"time"
)

// Transactions is [transactions]: the Kafka transactions of this replica.
type Transactions struct {
	IDPrefix   string        // transactional.id.prefix; "" if there are none
	PoolSize   int           // transactional.id.pool.size
	Timeout    time.Duration // transaction.timeout.ms
	MaxRecords int           // transaction.max.records
	MaxBytes   int64         // transaction.max.bytes
	MaxBlock   time.Duration // transaction.max.block.ms
	Linger     time.Duration // transaction.linger.ms

	// Producer is [producer]: what the clients of transactions do as all others, for example compression.type.
	Producer Producer
}

// Enabled says whether there are transactions.
func (t *Transactions) Enabled() bool { return t.IDPrefix != "" }

func transactionSettings() []Setting {
	row := func(name string, t Type, def, smallest, largest int64, doc string, into func(*Transactions) any) Setting {
		return Setting{
			Section: "transactions", Name: name, Type: t, Default: def, Min: smallest, Max: largest, Doc: doc, Support: Works,
			into: func(t target) any { return into(&t.c.Transactions) },
		}
	}
	return []Setting{
		{
			Section: "transactions", Name: "transactional.id.prefix", Type: String, Default: "", Support: Works,
			Doc: "The transactional ids are this with -0, -1, ... behind it. It must stay the same when this replica starts again, and be another for " +
				"every replica: two with the same one fence each other. Without it there are no transactions.",
			into: func(t target) any { return &t.c.Transactions.IDPrefix },
		},
		row("transactional.id.pool.size", Int, 4, 1, 1000,
			"Kafka clients for transactions, so how many are under way at once; each has its own connections to the brokers.",
			func(t *Transactions) any { return &t.PoolSize }),
		row("transaction.timeout.ms", Millis, 60000, 1000, maxInt,
			"How long a transaction may be open before it is aborted, here and by Kafka; readers of committed records wait as long for one whose gateway died.",
			func(t *Transactions) any { return &t.Timeout }),
		row("transaction.max.records", Int, 10000, 1, 1_000_000, "How many records one transaction may have, those that interceptors made included.",
			func(t *Transactions) any { return &t.MaxRecords }),
		row("transaction.max.bytes", Bytes, 16<<20, 1024, 1<<40,
			"The memory that the records of one transaction may hold until it has ended; it is taken from http.receive.memory, and at most that.",
			func(t *Transactions) any { return &t.MaxBytes }),
		row("transaction.max.block.ms", Millis, 5000, 0, maxMs, "How long a transaction waits for a free client; then 503.",
			func(t *Transactions) any { return &t.MaxBlock }),
		row("transaction.linger.ms", Millis, 0, 0, 60000,
			"How long a request waits for others to share a Kafka transaction with, which makes for more of them per second. If it fails because of one, "+
				"each is run again alone. 0 shares none.",
			func(t *Transactions) any { return &t.Linger }),
	}
}

// maxTransactionalID is the longest prefix. Kafka takes any, but ids are in every log line of its coordinator.
const maxTransactionalID = 200

func (r *resolver) checkTransactions(g map[string]layer) {
	s := settings{g["transactions"]}
	prefix := s.layer["transactional.id.prefix"]
	if id := s.string("transactional.id.prefix"); len(id) > maxTransactionalID || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		r.fail("transactions.transactional.id.prefix", prefix,
			fmt.Sprintf("must have at most %d characters, all of them printable ASCII other than the space", maxTransactionalID))
	}
	room := g["http"]["receive.memory"]
	if most, ok := room.value.(int64); ok && !room.bad && s.int("transaction.max.bytes") > most && s.explicit("transaction.max.bytes") {
		r.fail("transactions.transaction.max.bytes", s.layer["transaction.max.bytes"],
			fmt.Sprintf("must be at most http.receive.memory = %s (%s)", room, room.origin.where()))
	}
}

// completeTransactions sets what is more than a copy of one setting: the properties that transactions ask for.
func (r *resolver) completeTransactions(c *Config, base layer) {
	var t Topic
	r.copy("producer", base, target{t: &t})
	t.Producer.complete(settings{base})
	tx := &c.Transactions
	tx.Producer = t.Producer
	tx.MaxBytes = min(tx.MaxBytes, int64(c.HTTP.ReceiveMemory))
}
