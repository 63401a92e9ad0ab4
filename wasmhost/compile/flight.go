package compile

import "context"

// flight is one compilation and all who wait for it.
type flight struct {
	done    chan struct{} // closed when res and err are set
	res     *Result
	err     error
	waiters int                     // guarded by Compiler.mu
	cancel  context.CancelCauseFunc // called when the last waiter has gone, and by Close
}

// share runs work for key once, however many ask at the same time, and gives all of them its result. The work goes on
// as long as one of them waits.
func (c *Compiler) share(ctx context.Context, key string, work func(context.Context) (*Result, error)) (*Result, error) {
	f, err := c.board(ctx, key, work)
	if err != nil {
		return nil, err
	}
	select {
	case <-f.done:
		return f.res, f.err
	case <-ctx.Done():
		c.leave(key, f)
		return nil, context.Cause(ctx)
	}
}

// board finds the flight of key, or starts it.
func (c *Compiler) board(ctx context.Context, key string, work func(context.Context) (*Result, error)) (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	f := c.flights[key]
	if f == nil {
		// The first to ask may be the first to go, so the work must not end with its context.
		workCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		f = &flight{done: make(chan struct{}), cancel: cancel}
		c.flights[key] = f
		c.working.Go(func() {
			defer cancel(nil)
			f.res, f.err = work(workCtx)
			c.land(key, f)
			close(f.done)
		})
	}
	f.waiters++
	return f, nil
}

// leave is called by one who no longer waits.
func (c *Compiler) leave(key string, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		f.cancel(context.Canceled)
		c.forget(key, f) // who asks next must not get the error of a cancelled one
	}
}

func (c *Compiler) land(key string, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(key, f)
}

// forget needs c.mu.
func (c *Compiler) forget(key string, f *flight) {
	if c.flights[key] == f {
		delete(c.flights, key)
	}
}
