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
		ends: map[string]*[partitions]int64{"orders": {}, "logs": {}},
	}
}

// live lets the senders send n requests.
func (w *world) live(n int) {
	killed := false
	for range n {
		w.request(w.IntN(4))
		if !killed && w.IntN(n) == 0 {
			killed = true
			w.run.Kills = append(w.run.Kills, w.now)
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
	queued := w.IntN(5) == 0
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

func (w *world) status(queued bool) int {
	if queued {
		return []int{202, 503, 0}[w.IntN(3)]
	}
	return []int{200, 200, 200, 207, 503, 504, 400, 500, 0}[w.IntN(9)]
}

// answer completes the entry, and stores the record if that is what it says, or by chance if nothing is said.
func (w *world) answer(e *check.Entry) {
	switch e.Status {
	case 207:
		e.Code = []string{"", "buffer_full", "delivery_timeout"}[w.IntN(3)]
	case 503:
		e.Code = "buffer_full"
	case 0:
		e.Code = []string{check.NoAnswer, check.Unreachable}[w.IntN(2)]
	}
	switch e.Outcome() {
	case check.Stored:
		e.Partition, e.Offset = w.store(e)
	case check.Accepted:
		w.store(e)
	case check.Unknown:
		if w.IntN(2) == 0 {
			w.store(e)
		}
	case check.Refused:
	}
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
