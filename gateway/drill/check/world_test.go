package check_test

import (
	"fmt"
	"math/rand/v2"

	"sluice/gateway/drill/check"
)

const partitions = 3

// world is a gateway as it should be, with senders and a log. Everything it does is permitted.
type world struct {
	*rand.Rand
	run  check.Run
	now  int64
	ends map[string]*[partitions]int64 // the next offset of each partition of a topic
	seq  map[int]int64                 // of each client
	reqs map[int]int64
}

func newWorld(seed uint64) *world {
	return &world{
		Rand: rand.New(rand.NewPCG(seed, 1)), now: 1000, seq: map[int]int64{}, reqs: map[int]int64{},
		ends: map[string]*[partitions]int64{"orders": {}, "logs": {}, "spooled": {}, "orders.DLT": {}, "logs.DLT": {}, "spooled.DLT": {}},
	}
}

// live lets the senders send n requests.
func (w *world) live(n int) {
	killed := false
	for range n {
		if w.IntN(4) == 0 {
			w.transaction(4 + w.IntN(2)) // clients of their own
		} else {
			w.request(w.IntN(4))
		}
		if w.IntN(2) == 0 {
			w.spoolOne(6)
		}
		if !killed && w.IntN(n) == 0 {
			killed = true
			w.run.Kills = append(w.run.Kills, w.now)
			w.repeat()
		}
	}
	w.Shuffle(len(w.run.Log), func(i, j int) { w.run.Log[i], w.run.Log[j] = w.run.Log[j], w.run.Log[i] })
}

// request is 1 to 4 records of a client, and their answer.
func (w *world) request(client int) {
	topic := []string{"orders", "logs"}[w.IntN(2)]
	key := ""
	if w.IntN(3) > 0 {
		key = fmt.Sprintf("k%d-%d", client, w.IntN(3))
	}
	queued := w.IntN(3) == 0
	status := w.status(queued)
	n := 1
	if !queued {
		n += w.IntN(4)
	}
	w.now += 10
	sent := w.now
	w.now += int64(w.IntN(100))
	for range n {
		e := check.Entry{
			ID: fmt.Sprintf("c%d-%d", client, w.seq[client]), Client: client, Request: w.reqs[client], Seq: w.seq[client],
			Topic: topic, Key: key, Queued: queued, Sum: w.Uint64(), Status: status, Partition: -1, Offset: -1, Sent: sent, Answered: w.now,
		}
		w.answer(&e)
		w.seq[client]++
		w.run.Entries = append(w.run.Entries, e)
	}
	w.reqs[client]++
}

// transaction is 2 to 5 records over both topics, stored together or not at all.
func (w *world) transaction(client int) {
	w.now += 10
	sent := w.now
	w.now += int64(w.IntN(100))
	status := []int{200, 200, 200, 413, 503, 504, 500, 0}[w.IntN(8)]
	code := map[int]string{413: "record_too_large", 503: "transaction_aborted", 0: []string{check.NoAnswer, check.Unreachable}[w.IntN(2)]}[status]
	commits := w.IntN(2) == 0 // if nobody knows
	for i := range 2 + w.IntN(4) {
		e := check.Entry{
			ID: fmt.Sprintf("c%d-%d", client, w.seq[client]), Client: client, Request: w.reqs[client], Seq: w.seq[client], Tx: true,
			Topic: []string{"orders", "logs"}[i%2], Key: fmt.Sprintf("k%d-%d", client, w.IntN(3)), Sum: w.Uint64(),
			Status: status, Code: code, Partition: -1, Offset: -1, Sent: sent, Answered: w.now,
		}
		switch o := e.Outcome(); {
		case o == check.Stored:
			e.Partition, e.Offset = w.store(&e)
		case o == check.Unknown && commits:
			w.store(&e)
		}
		w.seq[client]++
		w.run.Entries = append(w.run.Entries, e)
	}
	w.reqs[client]++
}

func (w *world) status(queued bool) int {
	if queued {
		return []int{202, 503, 0}[w.IntN(3)]
	}
	return []int{200, 200, 200, 207, 207, 503, 504, 400, 413, 500, 0}[w.IntN(11)]
}

// answer completes the entry, and stores the record if that is what it says, or by chance if nothing is said.
func (w *world) answer(e *check.Entry) {
	switch e.Status {
	case 207:
		e.Code = []string{"", "buffer_full", "delivery_timeout", "record_too_large"}[w.IntN(4)]
		if e.Code == "record_too_large" && w.IntN(4) > 0 {
			at := w.letter(e, false)
			e.Letter = &at
		}
	case 413:
		e.Code, e.NoLetter = "record_too_large", w.IntN(2) == 0
		if e.NoLetter && w.IntN(2) == 0 { // the answer for the letter was lost
			w.letter(e, false)
		}
	case 503:
		e.Code = "buffer_full"
	case 0:
		e.Code = []string{check.NoAnswer, check.Unreachable}[w.IntN(2)]
	}
	switch e.Outcome() {
	case check.Stored:
		e.Partition, e.Offset = w.store(e)
	case check.Accepted:
		switch w.IntN(3) {
		case 0:
			w.letter(e, false)
		case 1:
			w.letter(e, true)
			if w.IntN(2) == 0 {
				w.store(e)
			}
		default:
			w.store(e)
		}
	case check.Unknown:
		if w.IntN(2) == 0 {
			w.store(e)
		}
	case check.Refused, check.DeadLettered:
	}
}

// letter makes a dead letter.
func (w *world) letter(e *check.Entry, unknown bool) check.Place {
	dead := *e
	dead.Topic += ".DLT"
	p, offset := w.store(&dead)
	w.run.Log[len(w.run.Log)-1].Letter = &check.Letter{Topic: e.Topic, Unknown: unknown}
	return check.Place{Topic: dead.Topic, Partition: p, Offset: offset}
}

func (w *world) store(e *check.Entry) (partition int32, offset int64) {
	p := w.IntN(partitions)
	if e.Key != "" {
		p = int(e.Key[len(e.Key)-1]) % partitions
	}
	end := &w.ends[e.Topic][p]
	*end += int64(w.IntN(2)) // transactions and compaction leave gaps
	offset = *end
	*end++
	w.run.Log = append(w.run.Log, check.LogRecord{Topic: e.Topic, Partition: int32(p), Offset: offset, ID: e.ID, Key: e.Key, Sum: e.Sum})
	return int32(p), offset
}
