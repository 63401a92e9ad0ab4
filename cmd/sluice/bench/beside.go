package bench

import (
	"context"
	"fmt"
	"net/url"
)

// runURLs is `sluice bench [URL...]`: one load on one gateway, or several in turn.
func (b *bench) runURLs(ctx context.Context) error {
	for _, u := range b.targets {
		if !isLoopback(u) {
			b.warn("%s is not this machine: be sure that it is yours to load, and that the network is not what you measure", u)
		}
	}
	if b.rounds == 1 && len(b.targets) == 1 {
		return b.runOne(ctx, b.targets[0])
	}
	return b.runBeside(ctx)
}

// runOne loads one gateway once.
func (b *bench) runOne(ctx context.Context, target *url.URL) error {
	result, err := newLoad(b.plan(target, b.findServer()), b.watcher()).run(ctx)
	if err != nil {
		return err
	}
	if err := b.print(&Report{Environment: environment(), Settings: b.settings(), Result: result}); err != nil {
		return err
	}
	if _, ok := result.Answered(); ok == 0 {
		return fmt.Errorf("%s: no request was answered 200 or 202: statuses %v, errors %v", target, result.Statuses, result.Errors)
	}
	return nil
}

// Report is one load.
type Report struct {
	Environment Environment `json:"environment"`
	Settings    Settings    `json:"settings"`
	Result      *Result     `json:"result"`
}

// findServer is the account of a server that was not started here; nil, with a warning, when there is none to be had.
func (b *bench) findServer() account {
	var server account
	switch {
	case b.load.pid > 0:
		server = process(b.load.pid)
	case b.load.admin != "":
		server = newScraped(b.load.admin)
	default:
		return nil
	}
	if _, err := server.usage(); err != nil {
		b.warn("CPU and memory of the server are not reported: %v (name its process with --pid, or its metrics with --admin)", err)
		return nil
	}
	return server
}

// runBeside loads gateways in turn, or one of them several times, and compares each with the first.
func (b *bench) runBeside(ctx context.Context) error {
	figures := []string{figureRequests, figureRecords, figureP50, figureP99}
	var server account // of several servers, which one's would it be?
	if len(b.targets) == 1 {
		if server = b.findServer(); server != nil {
			figures = append(figures, figureCPURequest, figureCPURecord)
		}
	}
	c := &Comparison{Environment: environment(), Settings: b.settings(), Contenders: map[string]string{}}
	contenders := make([]contender, 0, len(b.targets))
	for _, u := range b.targets {
		contenders = append(contenders, contender{u.String(), b.urlContender(u, server)})
		c.Contenders[u.String()] = "a running gateway"
	}
	samples, err := alternate(ctx, b.rounds, contenders, b.say)
	if err != nil {
		return err
	}
	for i, u := range contenders {
		for _, figure := range figures {
			s := series(samples, u.name, figure)
			c.Series = append(c.Series, s)
			if i > 0 {
				first := series(samples, contenders[0].name, figure)
				c.Ratios = append(c.Ratios, ratio(figure+", "+u.name+" / "+contenders[0].name, 0, s, first))
			}
		}
	}
	return b.print(c)
}

// urlContender measures one running gateway.
func (b *bench) urlContender(u *url.URL, server account) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		result, err := newLoad(b.plan(u, server), b.watcher()).run(ctx)
		if err != nil {
			return nil, err
		}
		if _, ok := result.Answered(); ok == 0 {
			return nil, fmt.Errorf("no request was answered 200 or 202: statuses %v, errors %v", result.Statuses, result.Errors)
		}
		return result.sample(), nil
	}
}
