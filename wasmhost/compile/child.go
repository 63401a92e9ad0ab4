package compile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sluice/wasmhost/meter"
)

const (
	requestKind = "sluice compile request 1\n"
	replyKind   = "sluice compile reply 1\n"
)

// statusCPU is the exit status of a child that has used up its processor time.
const statusCPU = 3

// maxRequest is more than any request that the parent sends: a module and a head of some hundred bytes.
const maxRequest = MaxModule + 1<<20

// request is the head of what the parent sends; its body is the module.
type request struct {
	Version string // Version of the parent, which may run while its binary is replaced
	Engine  string // see probe
	Work    string // a directory of this compilation's own
	Limits  meter.Limits
	CPU     int64 // seconds
	Memory  int64 // bytes
}

// reply is the head of what the child answers; its body is the metered module. One of Info, Problems and Error is set, or
// NoMemory.
type reply struct {
	Info     *meter.Info
	Problems []meter.Problem // the module is refused
	NoMemory bool            // the system refused memory to the compiler, which survived that
	Error    string          // the system is at fault
	Warnings []string
}

// Child is all that the child process does: it reads a request from stdin, puts limits on the process it runs in, and
// answers on stdout. It returns the status to exit with at once: 0 if an answer was written, of
// whatever kind.
func Child(stdin io.Reader, stdout io.Writer) int {
	closeInherited()
	b, err := io.ReadAll(io.LimitReader(stdin, maxRequest))
	if err != nil {
		return childFailed("cannot read its request", err)
	}
	var req request
	wasm, err := parseFrame(requestKind, b, &req)
	if err != nil {
		return childFailed("got a request that is none", err)
	}
	rep, metered, err := confineAndAnswer(req, wasm)
	if err != nil {
		return childFailed("cannot limit itself", err)
	}
	out, err := frame(replyKind, rep, metered)
	if err != nil {
		return childFailed("cannot encode its answer", err)
	}
	if _, err := stdout.Write(out); err != nil {
		return childFailed("cannot write its answer", err)
	}
	return 0
}

func childFailed(what string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	return 1
}

func confineAndAnswer(req request, wasm []byte) (reply, []byte, error) {
	ctx := context.Background()               // the parent ends this process when it has waited enough
	if why := unusable(ctx, req); why != "" { // before limits that it might run into
		return reply{Error: why}, nil, nil
	}
	warnings, err := confine(req.CPU, req.Memory)
	if err != nil {
		return reply{}, nil, err
	}
	rep, metered := answer(ctx, req, wasm)
	rep.Warnings = warnings
	return rep, metered, nil
}

// answer does the work of a request.
func answer(ctx context.Context, req request, wasm []byte) (reply, []byte) {
	p, err := build(ctx, wasm, req.Limits, intoDir(req.Work))
	var refused *meter.Refused
	switch {
	case err == nil:
		return reply{Info: p.info}, p.metered
	case errors.As(err, &refused):
		return reply{Problems: refused.Problems}, nil
	case noMemory(err):
		return reply{NoMemory: true}, nil
	}
	return reply{Error: err.Error()}, nil
}

// unusable says why the parent could not use what this child makes, or "". It could not if its binary was replaced after it
// started.
func unusable(ctx context.Context, req request) string {
	dir := filepath.Join(req.Work, "probe")
	engine, err := probe(ctx, dir)
	if err != nil {
		return err.Error()
	}
	if engine != req.Engine || Version != req.Version {
		return fmt.Sprintf("the binary on disk is not the one that is running (%s %s on disk, %s %s running): "+
			"restart the process", Version, engine, req.Version, req.Engine)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err.Error()
	}
	return ""
}
