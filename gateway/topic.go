package gateway

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// awaitGrace is how much longer than delivery.timeout.ms a request waits for its Acks: Kafka's own verdict should come
// first.
const awaitGrace = 2 * time.Second

// lookInterval is how often is looked whether what is under way has ended.
const lookInterval = 5 * time.Millisecond

// maxBatchMemory ends a batch of a large request, so that its first records are on their way while the rest is read.
const maxBatchMemory = 512 << 10

// routeFunc finds a topic by name.
type routeFunc func(topic string) (*Topic, *record.Error)

// Topic is one configured topic: the stages that its records go through.
type Topic struct {
	cfg          config.Topic
	interceptors []Interceptor
	serializer   Serializer // nil: bytes go as they came
	partitioner  Partitioner
	fallback     Partitioner // for records that partitioner leaves without a partition
	out          Destination
	route        routeFunc             // finds the topic an interceptor routed to
	acks         *ackQueue             // nil without interceptors
	limits       *rateLimits           // nil without limits
	ended        *record.Outcomes      // of the records that were sent to it
	letters      *deadLetters          // nil without a dead-letter topic
	spool        *topicSpool           // nil without one
	successor    atomic.Pointer[Topic] // set when a reload replaced this one
	damaged      *record.Error         // its bindings cannot be read; see refusal
	removed      bool                  // it only stands in for a topic that is no longer configured, or built again when asked for
	// lettersTimeout is how much longer a record may take that becomes a dead letter.
	lettersTimeout time.Duration
	under          atomic.Int64 // batches whose interceptors or partitioner may be at work
}

// servant is a stage that may be unable to do its work: never again once it was able to.
type servant interface{ Broken() *record.Error }

// refusal is why all records of t are refused; nil if they are not.
func (t *Topic) refusal() *record.Error {
	if t.damaged != nil {
		return t.damaged
	}
	for _, i := range t.interceptors {
		if s, ok := i.(servant); ok {
			if err := s.Broken(); err != nil {
				return err
			}
		}
	}
	if s, ok := t.partitioner.(servant); ok {
		return s.Broken()
	}
	return nil
}

// Send takes a started batch through the way. Every record gets exactly one Ack, also when a step fails.
func (t *Topic) Send(b *record.Batch) {
	t.under.Add(1)
	defer t.under.Add(-1)
	if next := t.successor.Load(); next != nil {
		next.Send(b)
		return
	}
	if t.removed {
		t.sendAgain(b)
		return
	}
	b.CountIn(t.ended)
	if err := t.refusal(); err != nil {
		t.out.Refuse(b, err)
		return
	}
	if t.limits != nil {
		if err := t.limits.admit(t.cfg.Name, b, time.Now()); err != nil {
			t.out.Refuse(b, err)
			return
		}
	}
	if t.letters != nil {
		b.SetRescuer(t.letters)
	}
	b.Home = t.cfg.Name
	if len(t.interceptors) == 0 {
		t.deliver(b)
		return
	}
	rest := t.intercept(b, 0) // step 1
	t.deliver(b)
	t.deliverRouted(b)
	for _, more := range rest {
		t.deliver(more)
		t.deliverRouted(more)
		more.Free()
	}
}

// intercept shows b to the interceptors from the given one on. Where one makes several records of one, the batch goes on in
// parts; it returns those after b, in the order in which they are to be sent. The caller owns them too, and has to free them.
func (t *Topic) intercept(b *record.Batch, from int) (rest []*record.Batch) {
	t.acks.watch(b)
	for n := from; n < len(t.interceptors); n++ {
		t.interceptors[n].OnSend(b)
		if branch := b.TakeBranch(); branch != nil {
			branch.Hold() // it may end before it was looked through for records that were routed
			// What b is divided into later stands before what it was divided into already.
			rest = append(append([]*record.Batch{branch}, t.intercept(branch, n+1)...), rest...)
		}
	}
	return rest
}

// sendAgain sends a batch to what the topic is now.
func (t *Topic) sendAgain(b *record.Batch) {
	next, err := t.route(t.cfg.Name)
	if err != nil {
		b.CountIn(t.ended)
		t.out.Refuse(b, err)
		return
	}
	next.Send(b)
}

// deliver is steps 2 to 4 for the records that go to t. Those that nobody waits for go into the spool instead of steps 3 and 4, if
// there is one, and take these when they come out of it.
func (t *Topic) deliver(b *record.Batch) {
	if err := t.refusal(); err != nil {
		t.out.Refuse(b, err)
		return
	}
	if t.serializer != nil { // step 2
		t.serializer.Serialize(b)
	}
	if !t.handOn(b) {
		t.moved(b)
	}
}

// handOn is steps 3 and 4. It is false, and nothing has happened, if t was replaced.
func (t *Topic) handOn(b *record.Batch) bool {
	if t.spool != nil && b.Unattended {
		return t.spool.accept(t, b)
	}
	return !t.partition(b, t.out) || t.out.Append(b)
}

// moved sends records on that came while a reload replaced t.
func (t *Topic) moved(b *record.Batch) {
	next := t.successor.Load()
	if next == nil || next.removed { // a topic of a glob table is built again when it is asked for
		var err *record.Error
		if next, err = t.route(t.cfg.Name); err != nil {
			t.out.Refuse(b, err)
			return
		}
	}
	if next == t {
		t.out.Refuse(b, record.Errorf(record.NotAvailable, "the settings of topic %q are being changed", t.cfg.Name))
		return
	}
	next.takeOver(b)
}

// takeOver sends records on that another Topic was to send.
func (t *Topic) takeOver(b *record.Batch) {
	t.under.Add(1)
	defer t.under.Add(-1)
	if t.successor.Load() != nil || !t.handOn(b) {
		t.moved(b)
	}
}

// deliverRouted sends on the records that an interceptor gave another topic. They see that topic's partitioner, but not
// its interceptors: one hop.
func (t *Topic) deliverRouted(b *record.Batch) {
	under := []string{t.cfg.Name} // topics whose records may be completed by others from now on
	for i := range b.Records {
		r := &b.Records[i]
		if slices.Contains(under, r.Topic) || r.Done() {
			continue
		}
		to, err := t.route(r.Topic)
		if err != nil {
			b.Fail(i, err)
			continue
		}
		under = append(under, r.Topic)
		to.deliverFromOther(b)
	}
}

// deliverFromOther is deliver for records that came to t on the way of another topic.
func (t *Topic) deliverFromOther(b *record.Batch) {
	t.under.Add(1)
	defer t.under.Add(-1)
	next := t.successor.Load()
	if next == nil {
		t.deliver(b)
		return
	}
	if next.removed { // a topic of a glob table is built again when it is asked for
		var err *record.Error
		if next, err = t.route(t.cfg.Name); err != nil {
			t.out.Refuse(b, err)
			return
		}
	}
	next.deliverFromOther(b)
}

// partition gives every record of t that is not Done a partition that exists in out. It is false if none is left to send.
func (t *Topic) partition(b *record.Batch, out Destination) bool {
	live, highest := t.explicit(b)
	if !live {
		return false
	}
	p, err := out.PartitionsAtLeast(highest + 1)
	if err != nil {
		out.Refuse(b, err)
		return false
	}
	if highest >= p.Count {
		t.refuseMissing(b, p.Count)
	}
	t.partitioner.Partition(b, p)
	if t.fallback != nil {
		t.fallback.Partition(b, p)
	}
	return true
}

// explicit says whether t has records to send, and the highest partition that a sender asked for; -1 if none did.
func (t *Topic) explicit(b *record.Batch) (live bool, highest int32) {
	highest = record.NoPartition
	for i := range b.Records {
		r := &b.Records[i]
		if r.Topic != t.cfg.Name || r.Done() {
			continue
		}
		live = true
		if r.Explicit {
			highest = max(highest, r.Partition)
		}
	}
	return live, highest
}

func (t *Topic) refuseMissing(b *record.Batch, count int32) {
	for i := range b.Records {
		r := &b.Records[i]
		if r.Topic == t.cfg.Name && !r.Done() && r.Explicit && r.Partition >= count {
			b.Fail(i, record.Errorf(record.UnknownPartition, "partition %d does not exist: topic %q has %d partitions", r.Partition, t.cfg.Name, count))
		}
	}
}

// Name is the topic's name in Kafka.
func (t *Topic) Name() string { return t.cfg.Name }

// BatchMemory is where a batch ends: small enough that several fit into buffer.memory.
func (t *Topic) BatchMemory() int {
	return int(min(maxBatchMemory, max(t.cfg.Producer.BufferMemory/8, 16<<10)))
}

// MaxRecordBytes is max.request.size.
func (t *Topic) MaxRecordBytes() int { return t.cfg.Producer.MaxRequestSize }

// AwaitTimeout is how long a request waits for the Acks of a batch that was appended, dead letters included.
func (t *Topic) AwaitTimeout() time.Duration {
	return t.cfg.Producer.DeliveryTimeout + t.lettersTimeout + awaitGrace
}

// partitions is how many partitions the topic has; 0 if that is not known.
func (t *Topic) partitions() int32 {
	p, err := t.out.PartitionsAtLeast(0)
	if err != nil {
		return 0
	}
	return p.Count
}

// leave waits, once t has a successor, until its interceptors and partitioner have nothing to do any more, or ctx ends: also
// for Acks of records that other topics send.
func (t *Topic) leave(ctx context.Context) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for t.under.Load() > 0 || t.acks != nil && t.acks.open.Load() > 0 || t.letters != nil && t.letters.open.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// close tells the interceptors what is left to tell. No batch may be under way any more.
func (t *Topic) close() {
	if t.letters != nil {
		t.letters.close()
	}
	if t.acks != nil {
		t.acks.close()
	}
}
