package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"sluice/gateway/guest"
	"sluice/gateway/record"
	"sluice/gateway/registry"
)

// problemBody is an error as RFC 9457 has it, in the shape of the data plane.
type problemBody struct {
	Type      string    `json:"type"`
	Title     string    `json:"title"`
	Status    int       `json:"status"`
	Code      string    `json:"code"`
	Detail    string    `json:"detail"`
	Retryable bool      `json:"retryable"`
	Problems  []Problem `json:"problems,omitempty"`
}

// Problem is one of several reasons to refuse a module.
type Problem struct {
	Rule    string `json:"rule"` // a stable word
	Message string `json:"message"`
	Offset  *int   `json:"offset,omitempty"` // bytes into the module; missing if it is no single place
}

// The codes of problems that only the admin plane has; the others are those of package record.
const (
	codeInvalidValue = "invalid_value"       // it can be read, but breaks a rule
	codeNoModule     = "module_not_found"    // or no such version of it
	codeAmbiguous    = "version_ambiguous"   // an abbreviation that several versions have
	codeRefused      = "module_refused"      // the module cannot be run
	codeNotStarting  = "module_not_starting" // it can be run, but not as what it is bound to, or with that configuration
	codeStarting     = "starting"
	codeNoMemory     = "no_memory" // for another instance, at the moment
	codeNoHook       = "hook_not_found"
	codeInUse        = "in_use"
	codeConflict     = "conflict"
	codeBoundByFile  = "bound_by_file"
	codeNotBound     = "not_bound"
	codeDamaged      = "registry_damaged"
	codeCrossOrigin  = "cross_origin"
	codeHost         = "host_not_allowed"
)

// failure is an error with the status and the code that it is answered with.
type failure struct {
	status   int
	code     string
	err      error
	problems []Problem
	retry    bool // the same may succeed later
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

func failf(status int, code, format string, args ...any) *failure {
	return &failure{status: status, code: code, err: fmt.Errorf(format, args...)}
}

func invalid(format string, args ...any) *failure {
	return failf(http.StatusBadRequest, record.Invalid.String(), format, args...)
}

// FileBoundError says that the configuration file binds what was to be bound by the API.
type FileBoundError struct {
	Topic string
	Kind  guest.Kind
	File  string
	Line  int
}

func (e *FileBoundError) Error() string {
	what := "the partitioner of topic %q is bound by %s:%d"
	if e.Kind == guest.Interceptor {
		what = "the interceptors of topic %q are bound by %s:%d"
	}
	return fmt.Sprintf(what+": the file says which module serves a topic, so change it there; which version runs can be changed here",
		e.Topic, e.File, e.Line)
}

// StartingError says that something has to wait until the gateway has started.
type StartingError struct{}

func (*StartingError) Error() string {
	return "the gateway is starting: the modules of its topics are being built; try again when /healthz says ok"
}

// asFailure finds the status and code for an error.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if e, ok := errors.AsType[*guest.RefusedError](err); ok {
		return refused(e)
	}
	status, code := http.StatusInternalServerError, record.Internal.String()
	for _, known := range []struct {
		is     bool
		status int
		code   string
	}{
		{isA[*FileBoundError](err), http.StatusConflict, codeBoundByFile},
		{isA[*StartingError](err), http.StatusServiceUnavailable, codeStarting},
		{isA[*guest.NotFitError](err), http.StatusUnprocessableEntity, codeNotStarting},
		{isA[*guest.NoMemoryError](err), http.StatusServiceUnavailable, codeNoMemory},
		{isA[*guest.HookError](err), http.StatusUnprocessableEntity, codeNoHook},
		{isA[*guest.MissingError](err), http.StatusUnprocessableEntity, codeNoModule},
		{errors.Is(err, registry.ErrNotFound), http.StatusNotFound, codeNoModule},
		{errors.Is(err, registry.ErrInvalid), http.StatusUnprocessableEntity, codeInvalidValue},
		{errors.Is(err, registry.ErrInUse), http.StatusConflict, codeInUse},
		{errors.Is(err, registry.ErrConflict), http.StatusConflict, codeConflict},
		{errors.Is(err, registry.ErrDamaged), http.StatusInternalServerError, codeDamaged},
	} {
		if known.is {
			status, code = known.status, known.code
			break
		}
	}
	return &failure{status: status, code: code, err: err, retry: status == http.StatusServiceUnavailable}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func refused(e *guest.RefusedError) *failure {
	f := &failure{status: http.StatusUnprocessableEntity, code: codeRefused, err: e}
	for _, p := range e.Problems {
		shown := Problem{Rule: p.Rule, Message: p.Message}
		if p.Offset > 0 {
			shown.Offset = &p.Offset
		}
		f.problems = append(f.problems, shown)
	}
	return f
}

// problem answers with an error of a record's kind.
func problem(w http.ResponseWriter, status int, err *record.Error) {
	fail(w, &failure{status: status, code: err.Code.String(), err: errors.New(err.Message), retry: err.Code.Retriable()})
}

func fail(w http.ResponseWriter, f *failure) {
	write(w, f.status, "application/problem+json", problemBody{
		Type: "about:blank", Title: http.StatusText(f.status), Status: f.status, Code: f.code, Detail: f.Error(), Problems: f.problems,
		Retryable: f.retry,
	})
}

func answer(w http.ResponseWriter, body any) { write(w, http.StatusOK, "application/json", body) }

func write(w http.ResponseWriter, status int, contentType string, body any) {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)                 // records and configurations are shown as they are
	if err := e.Encode(body); err != nil { // a value of a setting that JSON does not have
		problem(w, http.StatusInternalServerError, record.Errorf(record.Internal, "the answer cannot be written as JSON: %v", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(data.Bytes()) // the client is gone
}
