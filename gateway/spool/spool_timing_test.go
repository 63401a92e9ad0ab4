package spool

import (
	"bytes"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkAppend appends entries of 300 bytes, one at a time, to a real disk: the folder is that of TMPDIR.
func BenchmarkAppend(b *testing.B) {
	for name, interval := range map[string]time.Duration{"always": 0, "interval": 100 * time.Millisecond} {
		for _, appenders := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/appenders=%d", name, appenders), func(b *testing.B) {
				s, _, err := Open(b.TempDir(), Options{MaxBytes: 8 << 30, SegmentBytes: 64 << 20, Interval: interval})
				if err != nil {
					b.Fatal(err)
				}
				payload := bytes.Repeat([]byte{'x'}, 300)
				b.ReportAllocs()
				b.SetBytes(300)
				b.SetParallelism(appenders)
				var failed atomic.Pointer[error]
				if appenders == 1 {
					e := &Entries{}
					for b.Loop() {
						appendOne(s, e, payload, &failed)
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						e := &Entries{}
						for pb.Next() {
							appendOne(s, e, payload, &failed)
						}
					})
				}
				if err := failed.Load(); err != nil {
					b.Fatal(*err)
				}
				b.ReportMetric(float64(s.Stats.Appended.Load())/float64(max(s.Stats.Syncs.Load(), 1)), "entries/fsync")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

func appendOne(s *Spool, e *Entries, payload []byte, failed *atomic.Pointer[error]) {
	e.Reset()
	e.End(append(e.Begin(), payload...))
	if _, err := s.Append(e); err != nil {
		failed.Store(&err)
	}
}

// BenchmarkFsync is what the disk can do: a write of 300 bytes and an fsync.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(b.TempDir() + "/file")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	payload := bytes.Repeat([]byte{'x'}, 300)
	for b.Loop() {
		if _, err := f.Write(payload); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads entries of 300 bytes.
func BenchmarkRead(b *testing.B) {
	s, _, err := open(b.TempDir(), Options{MaxBytes: 8 << 30, SegmentBytes: 64 << 20}, (&faults{}).system())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	e := &Entries{}
	for range 1000 {
		e.End(append(e.Begin(), make([]byte, 300)...))
	}
	for range 100 {
		if _, err := s.Append(e); err != nil {
			b.Fatal(err)
		}
	}
	r := s.Reader(0)
	defer r.Close()
	b.ReportAllocs()
	b.SetBytes(300)
	for b.Loop() {
		if _, _, err := r.Next(); err != nil {
			r.Seek(0)
		}
	}
}
