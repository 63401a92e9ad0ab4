package localkafka

import "errors"

// errSignals is why nothing can be paused or stopped in order on Windows.
var errSignals = errors.New("Windows has no signal for it")

// Pause is not possible here.
func (p *Process) Pause() error { return errSignals }

// Resume is not possible here.
func (p *Process) Resume() error { return errSignals }

func (p *Process) terminate() error { return errSignals }
