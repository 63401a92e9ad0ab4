package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/record"
)

// maxJSON is what a body may have that says what to do; records and modules have limits of their own.
const maxJSON = 1 << 20

// handler is an http.HandlerFunc whose error is answered.
type handler func(w http.ResponseWriter, r *http.Request) error

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		fail(w, asFailure(err))
	}
}

// slow lets a request take long: to be read, since a module may come over a slow line, and to be answered, since a module
// may have to be compiled. It returns after the body was read, as it may be.
func (s *Server) slow(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	c := http.NewResponseController(w)
	// A connection that refuses a deadline is broken, and reading says so.
	_ = c.SetReadDeadline(time.Now().Add(s.patience))
	_ = c.SetWriteDeadline(time.Now().Add(s.patience + writeTimeout))
	body, err := read(w, r, limit)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.Header().Set("Connection", "close")
		return nil, failf(http.StatusRequestTimeout, record.TooSlow.String(), "the body was not here within admin.read.timeout.ms = %d", s.patience.Milliseconds())
	}
	if err != nil {
		return nil, err
	}
	_ = c.SetReadDeadline(time.Time{}) // else the context of the request would end with it
	_ = c.SetWriteDeadline(time.Now().Add(workTimeout))
	return body, nil
}

// read reads a body of at most limit bytes; the error of a longer one is a *http.MaxBytesError.
func read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // rather than read what nobody wants
		return nil, &http.MaxBytesError{Limit: limit}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil || isA[*http.MaxBytesError](err) {
		return body, err
	}
	return nil, invalid("the body cannot be read: %w", err)
}

// readJSON reads a body into what into points to. Without a body it stays as it is, if that is allowed.
func (s *Server) readJSON(w http.ResponseWriter, r *http.Request, into any, optional bool) error {
	body, err := s.slow(w, r, maxJSON)
	if isA[*http.MaxBytesError](err) {
		return failf(http.StatusRequestEntityTooLarge, record.BodyTooLarge.String(), "the body is larger than %d bytes", maxJSON)
	}
	if err != nil {
		return err
	}
	if len(body) == 0 && optional {
		return nil
	}
	return decode(body, into)
}

// decode reads JSON strictly. Errors name the field.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalid("%s: it must be %s, not %s", orBody(t.Field), inJSON(t.Type), t.Value)
	}
	if err != nil {
		return invalid("the body is not the JSON that is expected here: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("the body is not the JSON that is expected here: something follows the first value")
	}
	return nil
}

// inJSON is what values of a type are in JSON.
func inJSON(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return inJSON(t.Elem())
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number that fits"
	}
}

func orBody(field string) string {
	if field == "" {
		return "the body"
	}
	return field
}

// queryInt reads a parameter of the query that is a number from least to most.
func queryInt(r *http.Request, name string, otherwise, least, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, invalid("%s: %q must be a number from %d to %d", name, text, least, most)
	}
	return n, nil
}

// queryBool reads a parameter of the query that is true or false.
func queryBool(r *http.Request, name string) (bool, error) {
	switch text := r.URL.Query().Get(name); text {
	case "":
		return false, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, invalid("%s: %q must be true or false", name, text)
	}
}
