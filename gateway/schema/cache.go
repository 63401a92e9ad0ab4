package schema

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// cache keeps what was loaded, and for a while that it could not be. Each key is loaded once at a time, however many want it.
type cache[K comparable, V any] struct {
	load     func(ctx context.Context, key K) (V, error)
	maxAge   time.Duration        // when a value is loaded again, beside those that use it; 0: never
	missing  time.Duration        // how long an error is remembered
	size     int                  // of values, and of errors
	bytes    int                  // that values may cost together
	cost     func(V) int          // of a value, in bytes
	down     func(err error) bool // says that an error is about whoever was asked, not about the key
	clock    func() time.Time
	patience time.Duration          // how long who asks waits for what is loaded
	stale    func(key K, err error) // told when a value could not be loaded again

	ctx  context.Context //nolint:containedctx // of what is loaded: it ends with the registry, not with who asked first
	room chan struct{}   // bounds what is loaded at once
	// spawn runs f beside who asked; it is false, and f is not run, once the registry is closed.
	spawn func(f func()) bool

	mu      sync.Mutex
	entries map[K]*entry[K, V]
	good    list.List // of *entry, the last used in front
	bad     list.List // of *entry
	held    int       // what the values in good cost

	hits, misses atomic.Int64
}

// entry is what is known of a key.
type entry[K comparable, V any] struct {
	key     K
	value   V
	known   bool
	err     error
	at      time.Time // of value
	retryAt time.Time // after err
	loading chan struct{}
	element *list.Element // in good or bad; nil while it is loaded for the first time
}

// now returns a value that is known, without waiting; false if it is not.
func (c *cache[K, V]) now(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil || !e.known {
		var none V
		return none, false
	}
	c.use(e)
	return e.value, true
}

// peek is now, but does not count as use.
func (c *cache[K, V]) peek(key K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil && e.known {
		return e.value, true
	}
	return v, false
}

// use counts e as used, and has it loaded again if it is old.
func (c *cache[K, V]) use(e *entry[K, V]) {
	c.hits.Add(1)
	if e.element != nil {
		c.good.MoveToFront(e.element)
	}
	if c.maxAge <= 0 || e.loading != nil {
		return
	}
	if t := c.clock(); t.Sub(e.at) >= c.maxAge && !t.Before(e.retryAt) {
		c.start(e)
	}
}

// get returns the value, waiting for it at most patience and until ctx ends.
func (c *cache[K, V]) get(ctx context.Context, key K) (V, error) {
	c.mu.Lock()
	e := c.entries[key]
	switch {
	case e != nil && e.known:
		defer c.mu.Unlock()
		c.use(e)
		return e.value, nil
	case e != nil && e.loading == nil && c.clock().Before(e.retryAt):
		defer c.mu.Unlock()
		c.hits.Add(1)
		c.bad.MoveToFront(e.element)
		return e.value, e.err
	case e == nil:
		e = &entry[K, V]{key: key}
		c.entries[key] = e
	}
	c.misses.Add(1)
	if e.loading == nil {
		c.start(e)
	}
	if e.err != nil && c.down(e.err) && c.clock().Before(e.retryAt.Add(c.missing)) {
		defer c.mu.Unlock() // it failed a moment ago: whether it does still is found out without making records wait
		return e.value, e.err
	}
	done := e.loading
	c.mu.Unlock()
	if err := c.await(ctx, done); err != nil {
		var none V
		return none, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.known {
		return e.value, nil
	}
	return e.value, e.err
}

// forgive has a key that could not be loaded loaded again by the next one who asks: the error was nobody's who sent something.
func (c *cache[K, V]) forgive(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil && !e.known && e.err != nil && !c.down(e.err) {
		e.retryAt = time.Time{}
	}
}

func (c *cache[K, V]) await(ctx context.Context, done <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.patience, errPatience)
	defer cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// errPatience is what who waited is told.
var errPatience = &RegistryError{Asked: "a schema", Message: "it did not answer in time"}

// start has e loaded by a goroutine of its own. The caller holds mu.
func (c *cache[K, V]) start(e *entry[K, V]) {
	done := make(chan struct{})
	e.loading = done
	ok := c.spawn(func() {
		v, err := c.loadOne(e.key)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.store(e, v, err)
		e.loading = nil
		close(done)
	})
	if !ok {
		var none V
		c.store(e, none, context.Canceled)
		e.loading = nil
		close(done)
	}
}

func (c *cache[K, V]) loadOne(key K) (V, error) {
	select {
	case c.room <- struct{}{}:
		defer func() { <-c.room }()
		return c.load(c.ctx, key)
	case <-c.ctx.Done():
		var none V
		return none, c.ctx.Err()
	}
}

func (c *cache[K, V]) store(e *entry[K, V], v V, err error) {
	t := c.clock()
	if c.entries[e.key] == nil { // it was given up meanwhile
		c.entries[e.key] = e
	}
	if err != nil {
		e.retryAt = t.Add(c.missing)
		if e.known {
			c.keep(e, e.value)
			c.stale(e.key, err)
			return
		}
		e.err = err
		c.place(&c.bad, e)
		return
	}
	if !e.known && e.element != nil {
		c.bad.Remove(e.element)
		e.element = nil
	}
	c.keep(e, v)
	e.known, e.err, e.at = true, nil, t
}

// keep makes v the value of e, and e one of the values.
func (c *cache[K, V]) keep(e *entry[K, V], v V) {
	if e.element != nil {
		c.held -= c.cost(e.value)
	}
	c.held += c.cost(v)
	e.value = v
	c.place(&c.good, e)
}

// place puts e to the front of l, and gives up what is too much.
func (c *cache[K, V]) place(l *list.List, e *entry[K, V]) {
	if e.element != nil {
		l.MoveToFront(e.element)
	} else {
		e.element = l.PushFront(e)
	}
	for l.Len() > c.size || l == &c.good && c.held > c.bytes && l.Len() > 1 {
		last := l.Back()
		old, _ := last.Value.(*entry[K, V])
		l.Remove(last)
		old.element = nil
		if l == &c.good {
			c.held -= c.cost(old.value)
		}
		if c.entries[old.key] == old {
			delete(c.entries, old.key)
		}
	}
}

// len is how many values are known and what they cost in bytes, and how many errors.
func (c *cache[K, V]) len() (known, bytes, missing int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.good.Len(), c.held, c.bad.Len()
}

// isEnded says that nobody waited any longer.
func isEnded(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
