package dlt

import "context"

// marker writes the marks of letters that go via the gateway: as many at a time as came while it wrote the last ones.
type marker struct {
	txn  *transactions
	in   chan mark
	done chan struct{}
	err  error // of writing, when done is closed
}

// newMarker starts a marker. If it cannot write it calls failed, and takes marks without writing them.
func newMarker(ctx context.Context, txn *transactions, failed func(error)) *marker {
	m := &marker{txn: txn, in: make(chan mark, chunkLetters), done: make(chan struct{})}
	go m.work(context.WithoutCancel(ctx), failed)
	return m
}

func (m *marker) work(ctx context.Context, failed func(error)) {
	defer close(m.done)
	for first := range m.in {
		marks := m.more([]mark{first})
		if m.err != nil {
			continue
		}
		if m.err = m.txn.run(ctx, func() error { return m.txn.write(ctx, marks) }); m.err != nil {
			failed(m.err)
		}
	}
}

// more takes what else is there.
func (m *marker) more(marks []mark) []mark {
	for len(marks) < chunkLetters {
		select {
		case one, ok := <-m.in:
			if !ok {
				return marks
			}
			marks = append(marks, one)
		default:
			return marks
		}
	}
	return marks
}

// close waits until all marks are written, and returns why they could not be.
func (m *marker) close() error {
	close(m.in)
	<-m.done
	return m.err
}
