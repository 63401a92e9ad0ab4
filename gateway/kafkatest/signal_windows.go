package kafkatest

import "errors"

// errSignals is why tests that pause or stop a broker in order cannot run on Windows.
var errSignals = errors.New("Windows has no signal for it")

func (p *process) pause() error     { return errSignals }
func (p *process) resume() error    { return errSignals }
func (p *process) terminate() error { return errSignals }
