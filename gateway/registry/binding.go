package registry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// Bindings are the modules that the API bound to a topic. What the file binds is not here.
type Bindings struct {
	Topic        string    `json:"topic"`
	Revision     uint64    `json:"revision"` // of the registry when they changed last; 0 if the topic has none
	Partitioner  *Binding  `json:"partitioner,omitempty"`
	Interceptors []Binding `json:"interceptors,omitempty"` // in the order in which they see a record

	// Damaged says why the bindings cannot be read; then only Topic is set, and DeleteBindings removes what is left.
	Damaged string `json:"-"`
}

// Binding is a module in the place of a partitioner or an interceptor.
type Binding struct {
	Module  string          `json:"module"`
	Config  json.RawMessage `json:"config,omitempty"` // a JSON object that the module's configure gets, or nothing
	OnError Policy          `json:"on_error"`
	Routes  []string        `json:"routes,omitempty"` // topics, and globs with '*', that an interceptor may route records to

	Instances int    `json:"instances,omitempty"` // calls at once; 0 is the default of all bindings
	Fallback  string `json:"fallback,omitempty"`  // of a partitioner: who chooses where the module does not; "" is the topic's own
}

// Policy is what happens to a record that a module fails on.
type Policy string

// The policies; "" is taken as Continue, which is Kafka's way.
const (
	Continue   Policy = "continue" // it goes on as it was before the module
	Strict     Policy = "strict"   // it fails
	DeadLetter Policy = "dlq"      // it goes to the dead letter topic; not for a partitioner
)

const (
	maxInterceptors = 64
	maxRoutes       = 1000
	maxInstances    = 64
)

func (b *Bindings) empty() bool { return b.Partitioner == nil && len(b.Interceptors) == 0 }

// users lists in which places of the topic a module is bound, in the words of Options.InUse.
func (b *Bindings) users(module string) []string {
	var out []string
	if b.Partitioner != nil && b.Partitioner.Module == module {
		out = append(out, "partitioner of topic "+strconv.Quote(b.Topic))
	}
	for i := range b.Interceptors {
		if b.Interceptors[i].Module == module {
			out = append(out, "interceptor of topic "+strconv.Quote(b.Topic))
		}
	}
	return out
}

func (b *Bindings) clone() *Bindings {
	c := *b
	if b.Partitioner != nil {
		p := b.Partitioner.clone()
		c.Partitioner = &p
	}
	c.Interceptors = slices.Clone(b.Interceptors)
	for i := range c.Interceptors {
		c.Interceptors[i] = c.Interceptors[i].clone()
	}
	return &c
}

func (b *Binding) clone() Binding {
	c := *b
	c.Config, c.Routes = bytes.Clone(b.Config), slices.Clone(b.Routes)
	return c
}

// check says what is wrong with bindings as they were read or are about to be written.
func (b *Bindings) check() error {
	if err := checkTopic("topic", b.Topic); err != nil {
		return err
	}
	if len(b.Interceptors) > maxInterceptors {
		return errorf(ErrInvalid, "interceptors: %d are given, a topic has at most %d", len(b.Interceptors), maxInterceptors)
	}
	if p := b.Partitioner; p != nil {
		switch err := p.check(); {
		case err != nil:
			return errorf(ErrInvalid, "partitioner: %w", err)
		case p.OnError == DeadLetter:
			return errorf(ErrInvalid, "partitioner: on_error %q: must be %s or %s; %s is for interceptors", p.OnError, Continue, Strict, p.OnError)
		case len(p.Routes) > 0:
			return errorf(ErrInvalid, "partitioner: routes: only an interceptor can route records")
		}
	}
	for i := range b.Interceptors {
		if err := b.Interceptors[i].check(); err != nil {
			return errorf(ErrInvalid, "interceptors[%d]: %w", i, err)
		}
		if b.Interceptors[i].Fallback != "" {
			return errorf(ErrInvalid, "interceptors[%d]: fallback: only a partitioner has one", i)
		}
	}
	return nil
}

func (b *Binding) check() error {
	if err := checkName(b.Module); err != nil {
		return err
	}
	if len(b.Config) > 0 && (!json.Valid(b.Config) || bytes.TrimLeft(b.Config, " \t\r\n")[0] != '{') {
		return errorf(ErrInvalid, "config: must be a JSON object")
	}
	switch b.OnError {
	case Continue, Strict, DeadLetter:
	default:
		return errorf(ErrInvalid, "on_error %q: must be %s, %s or %s", shown(string(b.OnError)), Continue, Strict, DeadLetter)
	}
	if b.Instances < 0 || b.Instances > maxInstances {
		return errorf(ErrInvalid, "instances %d: must be from 0, the default, to %d", b.Instances, maxInstances)
	}
	if b.Fallback != "" {
		if err := checkName(b.Fallback); err != nil {
			return errorf(ErrInvalid, "fallback: %w", err)
		}
	}
	if len(b.Routes) > maxRoutes {
		return errorf(ErrInvalid, "routes: %d are given, a binding has at most %d", len(b.Routes), maxRoutes)
	}
	for _, topic := range b.Routes {
		if err := checkGlob("routes", topic); err != nil {
			return err
		}
	}
	return nil
}

// given is a binding as a caller gives it, in the form in which it is kept.
func (b *Binding) given() Binding {
	c := b.clone()
	if c.OnError == "" {
		c.OnError = Continue
	}
	if bytes.Equal(bytes.TrimSpace(c.Config), []byte("null")) {
		c.Config = nil
	}
	return c
}
