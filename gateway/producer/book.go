package producer

import (
	"bytes"
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// book is the ledgers of one kgo client.
type book struct {
	// gate is held by the sender while it hands records over, and by the tap while it makes the sender keep a partition's
	// records back. So whatever kgo is given after a batch was refused stays in front of it or behind it, never between.
	gate sync.Mutex

	// encoded is batches that kgo has encoded and not yet written. While there are any, nobody can say that a record was
	// never sent.
	encoded atomic.Int64
	broken  atomic.Bool // a request could not be read: encoded counts nothing any more
	shuffle bool        // batches have no sequence numbers, and several may be in flight

	mu     sync.RWMutex
	topics map[string]*shelf
	ids    map[[16]byte]string
}

// shelf is the ledgers of one topic, by partition.
type shelf struct {
	book  *book
	topic string
	parts atomic.Pointer[[]*ledger] // only the sender replaces it
}

func newBook() *book {
	return &book{topics: make(map[string]*shelf), ids: make(map[[16]byte]string)}
}

// shelf returns the ledgers of a topic.
func (b *book) shelf(topic string) *shelf {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.topics[topic]
	if s == nil {
		s = &shelf{book: b, topic: topic}
		s.parts.Store(&[]*ledger{})
		b.topics[topic] = s
	}
	return s
}

// maxPartitions is how many partitions a topic can have at most, so that a wrong number cannot ask for any memory.
const maxPartitions = 1 << 18

// ledger returns the ledger of a partition. Only the sender may call it.
func (s *shelf) ledger(partition int32) *ledger {
	parts := *s.parts.Load()
	if partition >= 0 && int(partition) < len(parts) {
		return parts[partition]
	}
	if partition < 0 || partition >= maxPartitions {
		return newLedger(s.book, s.topic, partition) // kgo refuses it
	}
	grown := append([]*ledger(nil), parts...)
	for p := int32(len(parts)); p <= partition; p++ {
		l := newLedger(s.book, s.topic, p)
		l.fresh = true
		grown = append(grown, l)
	}
	s.parts.Store(&grown)
	return grown[partition]
}

// find returns the ledger of a partition that something is written to, by the topic's name or id. It is nil if kgo was
// never given a record for it.
func (b *book) find(topic string, id [16]byte, partition int32) *ledger {
	b.mu.RLock()
	if topic == "" {
		topic = b.ids[id]
	}
	s := b.topics[topic]
	b.mu.RUnlock()
	if s == nil {
		return nil
	}
	if parts := *s.parts.Load(); partition >= 0 && int(partition) < len(parts) {
		return parts[partition]
	}
	return nil
}

// named notes a topic's id. The topic that has another one by now was created again.
func (b *book) named(id [16]byte, topic string) {
	b.mu.RLock()
	known := b.ids[id] == topic
	b.mu.RUnlock()
	if known || id == [16]byte{} {
		return
	}
	b.mu.Lock()
	b.ids[id] = topic
	b.mu.Unlock()
}

// each calls f for every ledger.
func (b *book) each(f func(*ledger)) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, s := range b.topics {
		for _, l := range *s.parts.Load() {
			f(l)
		}
	}
}

// blind says that a request was written that could not be understood.
func (b *book) blind() {
	b.broken.Store(true)
	b.each((*ledger).blind)
}

// dialer is for [kgo.Dialer]: the book notes what d cannot open.
func (b *book) dialer(d *dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.dial(ctx, network, addr)
		if err != nil {
			b.failed()
		}
		return conn, err
	}
}

// failed says that a connection was closed or could not be opened.
func (b *book) failed() {
	if b.shuffle {
		b.each(func(l *ledger) { l.lose() })
	}
}

// quiet says that every batch that kgo has encoded is written.
func (b *book) quiet() bool { return b.encoded.Load() == 0 && !b.broken.Load() }

// compressor counts the batches that are encoded: kgo calls it for each of them, while the batch is locked.
type compressor struct {
	kgo.Compressor // nil for none
	book           *book
}

// Compress implements [kgo.Compressor].
func (c compressor) Compress(dst *bytes.Buffer, src []byte, flags ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	c.book.encoded.Add(1)
	if c.Compressor == nil {
		return nil, kgo.CodecNone
	}
	return c.Compressor.Compress(dst, src, flags...)
}
