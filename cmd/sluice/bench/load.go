package bench

import (
	"context"
	"math"
	"net/url"
	"sync"
	"time"
)

// plan is one load.
type plan struct {
	base        *url.URL
	shape       shape
	connections int
	warmup      time.Duration // load before the window that is measured
	duration    time.Duration // the window
	rate        float64       // requests per second over all connections; 0 for as many as go
	requests    int64         // stop after so many instead of after a time; 0 for no such limit
	timeout     time.Duration // for the answers that are outstanding at the end
	server      account       // whose CPU and memory to report; nil for nobody's
}

// load is a plan being carried out.
type load struct {
	plan
	request  *request
	started  time.Time
	opens    time.Duration // the window, measured from started
	closes   time.Duration
	turns    turns
	tally    tally
	progress func(Progress) // nil for nobody
	every    time.Duration  // how often progress is told
}

// newLoad prepares a load; nothing is sent yet.
func newLoad(p plan, progress func(Progress)) *load {
	l := &load{
		plan: p, request: newRequest(p.base, p.shape), progress: progress, every: time.Second,
		opens: p.warmup, closes: p.warmup + p.duration, tally: newTally(),
	}
	if p.requests > 0 {
		l.opens, l.closes = 0, math.MaxInt64
	}
	l.turns = turns{limit: p.requests, closes: l.closes}
	if p.rate > 0 {
		l.turns.interval = float64(time.Second) / p.rate
	}
	return l
}

// run sends the load and reports on it. It returns when every connection is closed.
func (l *load) run(ctx context.Context) (*Result, error) {
	conns, hangUp := context.WithCancel(ctx)
	defer hangUp()
	l.started = time.Now()
	var before *snapshot
	if l.opens == 0 { // a window that is open from the start opens before anything is sent
		s, err := l.snapshot()
		if err != nil {
			return nil, err
		}
		before = &s
	}
	var workers sync.WaitGroup
	for i := range l.connections {
		workers.Go(func() { l.work(conns, i) })
	}
	finished := make(chan struct{})
	go func() { workers.Wait(); close(finished) }()

	first, last, err := l.watch(ctx, before, finished)
	l.drain(finished, hangUp)
	if err != nil {
		return nil, err
	}
	l.turns.overdue(l.tally.overdue)
	return l.result(first, last), nil
}

// watch waits for the window to open and to close, and looks at both sides at these moments. opened is what was seen of a
// window that is open already, else nil.
func (l *load) watch(ctx context.Context, opened *snapshot, finished <-chan struct{}) (first, last snapshot, err error) {
	if opened != nil {
		first = *opened
	} else if first, err = l.open(ctx, finished); err != nil {
		return first, last, err
	}
	if err = l.wait(ctx, l.closes, finished); err != nil {
		return first, last, err
	}
	last, err = l.snapshot()
	return first, last, err
}

// open waits for the window to open and looks at both sides.
func (l *load) open(ctx context.Context, finished <-chan struct{}) (snapshot, error) {
	if err := l.wait(ctx, l.opens, finished); err != nil {
		return snapshot{}, err
	}
	return l.snapshot()
}

// wait returns at the given time of the load or when all connections are done; meanwhile it tells of the progress.
func (l *load) wait(ctx context.Context, until time.Duration, finished <-chan struct{}) error {
	end := time.NewTimer(until - l.now())
	defer end.Stop()
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	for before := l.tally.answered.Load(); ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			return nil
		case <-finished: // also because ctx has ended
			return context.Cause(ctx)
		case <-tick.C:
			answered := l.tally.answered.Load()
			l.report(answered - before)
			before = answered
		}
	}
}

// drain gives outstanding answers their time and then hangs up.
func (l *load) drain(finished <-chan struct{}, hangUp func()) {
	late := time.AfterFunc(l.timeout, hangUp)
	defer late.Stop()
	<-finished
}

// work is the life of one connection.
func (l *load) work(ctx context.Context, i int) {
	c := newConn(ctx, l.base.Host)
	defer c.close()
	request := l.request.clone(i)
	pause := newPause()
	defer pause.timer.Stop()
	for failures := 0; ; {
		due, ok := l.turns.take(l.now())
		if !ok || !l.waitFor(ctx, pause, due) {
			return
		}
		status, err := c.exchange(request.turn())
		if ctx.Err() != nil && err != nil {
			l.tally.unanswered.Add(1)
			l.tally.late(l.now() - due)
			return
		}
		l.note(due, status, fateOf(status, c.partial(), l.shape.records), err)
		if failures++; err == nil {
			failures = 0
		}
		if failures > 0 && (l.now() > l.closes || !pause.sleep(ctx, backoff(failures))) {
			return
		}
	}
}

// waitFor sleeps until a request is due; false means that it will not be sent because the load is over.
func (l *load) waitFor(ctx context.Context, p *pause, due time.Duration) bool {
	early := due - l.now()
	if early <= 0 {
		return true
	}
	if !p.sleep(ctx, early) {
		return false
	}
	l.tally.pacing.add(l.now() - due)
	return true
}

// note writes down what became of a request.
func (l *load) note(due time.Duration, status int, f fate, err error) {
	now := l.now()
	l.tally.answer(status, f, err, now >= l.opens && now <= l.closes)
	at := now // without a rate, a request belongs to the moment of its answer; with one, to the moment it was due
	if l.rate > 0 {
		at = due
	}
	if err == nil && at >= l.opens && at <= l.closes {
		l.tally.time(status, now-due)
	}
}

func (l *load) now() time.Duration { return time.Since(l.started) }

// backoff keeps a connection that cannot be made from being tried in a loop.
func backoff(failures int) time.Duration {
	return min(10*time.Millisecond<<min(failures-1, 7), time.Second)
}
