package producer

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// loads counts the bytes that wait per partition, for partitioners that avoid slow ones. It is off unless asked for,
// because it costs two atomic additions per record, and reading the clock costs more than that.
type loads struct {
	on    bool
	timed bool // LastAck is asked for too
	mu    sync.Mutex
	parts atomic.Pointer[[]*record.Load]
}

// grow makes room for n partitions and returns the counters of all of them, nil when off.
func (l *loads) grow(n int32) []*record.Load {
	if !l.on {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var parts []*record.Load
	if old := l.parts.Load(); old != nil {
		parts = append(parts, *old...)
	}
	for int32(len(parts)) < n {
		parts = append(parts, &record.Load{})
	}
	l.parts.Store(&parts)
	return parts[:n]
}

func (l *loads) of(partition int32) *record.Load {
	parts := l.parts.Load()
	if parts == nil || partition < 0 || int(partition) >= len(*parts) {
		return nil
	}
	return (*parts)[partition]
}

func (l *loads) appended(r *record.Record) {
	if !l.on {
		return
	}
	if p := l.of(r.Partition); p != nil {
		if l.timed && p.Bytes.Load() == 0 {
			p.LastAck.Store(time.Now().UnixMilli()) // it is idle: nothing is late yet
		}
		p.Bytes.Add(int64(len(r.Key) + len(r.Value)))
	}
}

func (l *loads) acked(r *kgo.Record) {
	if !l.on {
		return
	}
	if p := l.of(r.Partition); p != nil {
		p.Bytes.Add(-int64(len(r.Key) + len(r.Value)))
		if l.timed {
			p.LastAck.Store(time.Now().UnixMilli())
		}
	}
}
