package registry

import (
	"errors"
	"fmt"
)

// The kinds of error; ask with errors.Is. An error of none of these kinds comes from the store (a full disk, say), names the
// path, and has changed nothing.
var (
	// ErrInvalid: an argument breaks a rule, which the message states.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: no such module or version.
	ErrNotFound = errors.New("not found")
	// ErrInUse: it cannot be removed, or the folder cannot be opened, because of who the message names.
	ErrInUse = errors.New("in use")
	// ErrConflict: the state does not permit it: a limit is reached, or the candidate is another one by now.
	ErrConflict = errors.New("conflict")
	// ErrDamaged: a stored file is missing, torn or altered; the message names it.
	ErrDamaged = errors.New("damaged")
)

// kindError is a message with the kind that it is of.
type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

func errorf(kind error, format string, args ...any) error {
	return &kindError{kind, fmt.Errorf(format, args...)}
}
