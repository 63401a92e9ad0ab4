package gateway

import (
	"context"
	"errors"
	"strconv"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/record"
	"sluice/wasmhost"
)

// start builds the topics with their modules and puts them in their places. If ctx ends meanwhile that is no error.
func (g *Gateway) start(ctx context.Context) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	began := time.Now()
	cfg := g.cfg.Load()
	topics, err := g.newTopics(ctx, cfg, nil)
	if err != nil {
		if ctx.Err() != nil {
			return nil // nobody wants them any more
		}
		return err
	}
	g.topics.Store(topics)
	close(g.started)
	g.log.Info("records are accepted", "topics", len(*topics.byName.Load()), "took", time.Since(began).Round(time.Millisecond))
	g.spools.settle(topics)
	g.background.Go(topics.wakeSpools)
	g.warm(topics)
	g.background.Go(func() { g.checkGlobs(ctx, cfg) })
	return nil
}

// Started is closed when the modules of all topics are built and records are accepted.
func (g *Gateway) Started() <-chan struct{} { return g.started }

// errStarting is the answer until then.
func errStarting() *record.Error {
	e := record.Errorf(record.NotAvailable, "the gateway is starting: the modules of its topics are being built")
	e.RetryAfter = time.Second
	return e
}

func (g *Gateway) isStarting() bool {
	select {
	case <-g.started:
		return false
	default:
		return true
	}
}

// checkGlobs tells early what would else show with the first record of a topic that only a glob covers: that its modules
// cannot serve.
func (g *Gateway) checkGlobs(ctx context.Context, cfg *config.Config) {
	for _, u := range globUses(cfg) {
		err := g.modules.Check(ctx, u)
		if c, ok := errors.AsType[*guest.CandidateError](err); ok && ctx.Err() == nil {
			g.modules.EndCandidate(c)
			err = g.modules.Check(ctx, u)
		}
		if err != nil && ctx.Err() == nil {
			g.log.Error("a module cannot serve; records of topics that its table covers will fail", "error", bindingError(u, err))
		}
	}
}

// globUses are the bindings of tables whose topics come with their first record.
func globUses(cfg *config.Config) []guest.Use {
	var all []guest.Use
	for _, table := range cfg.Tables() {
		if t, ok := cfg.Topic(table); ok && isGlob(table) {
			all = append(all, uses(t)...)
		}
	}
	return all
}

// bindingFaultError is what the file binds and cannot serve, with the place where it stands.
type bindingFaultError struct {
	at  config.Error
	err error
}

func (e *bindingFaultError) Error() string { return e.at.Error() }

func (e *bindingFaultError) Unwrap() error { return e.err }

// bindingError says where the binding stands that err is about.
func bindingError(u guest.Use, err error) *bindingFaultError {
	why := err
	if e, ok := errors.AsType[*guest.NotFitError](err); ok {
		why = e.Err // the key names the topic
	}
	b := &u.Binding
	e := &bindingFaultError{config.Error{File: b.File, Line: b.Line, Key: b.Key + ".module", Value: strconv.Quote(b.Module), Rule: why.Error()}, err}
	if cause, ok := wasmhost.AsFailure(err); ok && cause == wasmhost.ReturnCode { // of configure
		e.at.Key, e.at.Value = b.Key+".config", ""
	}
	return e
}
