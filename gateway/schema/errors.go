package schema

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/record"
	"sluice/gateway/schema/codec"
)

// RegistryError is an answer of the registry that is no schema, or none at all.
type RegistryError struct {
	Asked   string // what it was asked for: the latest version of subject "orders-value"
	Status  int    // HTTP status; 0 if there was no answer
	Code    int    // the registry's own error code; 0 if it told none
	Message string // the registry's own words, or why there was no answer
	Err     error
}

func (e *RegistryError) Error() string {
	switch {
	case e.Status == 0 && e.Err != nil && !errors.As(e.Err, new(*url.Error)):
		return fmt.Sprintf("the schema registry was asked for %s and its answer is of no use: %s", e.Asked, e.Message)
	case e.Status == 0:
		return fmt.Sprintf("the schema registry was asked for %s and could not be reached: %s", e.Asked, e.Message)
	case e.Code != 0:
		return fmt.Sprintf("the schema registry was asked for %s and answered %d (error %d): %s", e.Asked, e.Status, e.Code, e.Message)
	default:
		return fmt.Sprintf("the schema registry was asked for %s and answered %d: %s", e.Asked, e.Status, e.Message)
	}
}

func (e *RegistryError) Unwrap() error { return e.Err }

// Unavailable says that the answer may be another one soon: nobody answered, or the registry does not serve this gateway now.
func (e *RegistryError) Unavailable() bool {
	return e.Status == 0 || e.Status >= 500 || e.Status == 429 || e.Status == 401 || e.Status == 403
}

// asRegistryError says what was asked when err came of it.
func asRegistryError(asked string, err error) *RegistryError {
	e := &RegistryError{Asked: asked, Message: err.Error(), Err: err}
	if r, ok := errors.AsType[*sr.ResponseError](err); ok {
		e.Status, e.Code, e.Message = r.StatusCode, r.ErrorCode, shorten(r.Error())
	}
	return e
}

// checkID refuses an id that no frame can hold.
func checkID(id int) error {
	if id <= 0 || id > math.MaxInt32 {
		return fmt.Errorf("it has the id %d", id)
	}
	return nil
}

// maxMessage is how much of what a registry says goes into an error: it may answer with a web page.
const maxMessage = 1000

func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return s[:maxMessage] + "…"
}

// UnusableError is a schema that cannot be used.
type UnusableError struct {
	What string // subject "orders-value", id 3; "" if it has no name yet
	Err  error
}

func (e *UnusableError) Error() string {
	if e.What == "" {
		return fmt.Sprintf("the schema cannot be used: %v", e.Err)
	}
	return fmt.Sprintf("the schema of %s cannot be used: %v", e.What, e.Err)
}

func (e *UnusableError) Unwrap() error { return e.Err }

// retryAfter is when a record that waits for a registry may be sent again.
const retryAfter = 5 * time.Second

// isUnavailable says that err may be another one, or none, soon.
func isUnavailable(err error) bool {
	r, ok := errors.AsType[*RegistryError](err)
	return ok && r.Unavailable() || isEnded(err)
}

// asRecordError is what a sender is told when no schema could be had.
func asRecordError(err error) *record.Error {
	e := &record.Error{Code: record.SchemaRefused, Message: err.Error()}
	if isUnavailable(err) {
		e.Code, e.RetryAfter = record.SchemaUnavailable, retryAfter
	}
	return e
}

// mismatch is what a sender is told of a value that does not fit. quote says whether it may quote the value: errors.quote.values.
func mismatch(m record.Mismatch, err error, quote bool) *record.Error {
	v, ok := errors.AsType[*codec.ValueError](err)
	if !ok {
		v = &codec.ValueError{Want: "a value that fits", Found: err.Error(), Kind: "another"}
	}
	m.Path, m.Expected, m.Found = v.Path, v.Want, v.Found
	if !quote {
		m.Found = v.Unquoted()
	}
	return &record.Error{Code: record.SchemaMismatch, Message: m.String(), Mismatch: &m}
}

// mismatch is what a sender is told of a value that does not fit the schema.
func (s *Selection) mismatch(err error) *record.Error {
	return mismatch(record.Mismatch{Part: s.part, Subject: s.Subject, SchemaID: s.ID}, err, s.quote)
}

// mismatch is the same without a schema.
func (p *part) mismatch(err error) *record.Error {
	return mismatch(record.Mismatch{Part: p.name}, err, p.registry.cfg.QuoteValues)
}
