package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/record"
	"sluice/gateway/registry"
)

// Binding is a module in a place of a topic.
type Binding struct {
	Topic     string          `json:"topic"`
	Kind      guest.Kind      `json:"kind"`
	Place     int             `json:"place"` // among the topic's interceptors, from 0
	Module    string          `json:"module"`
	Origin    string          `json:"origin"` // the file and line, or api
	Config    json.RawMessage `json:"config,omitempty"`
	OnError   string          `json:"on_error"`
	Routes    []string        `json:"routes,omitempty"`
	Instances int             `json:"instances,omitempty"` // 0 is wasm.instances
	Fallback  string          `json:"fallback,omitempty"`  // of a partitioner: who chooses where the module does not
	Refused   string          `json:"refused,omitempty"`   // why it cannot serve, and the records of its topic are refused
	Serving   []guest.Serving `json:"serving,omitempty"`   // the versions that do; none before the first record of a topic that only a glob covers

	Compared     int64 `json:"shadow_compared,omitempty"` // records that a shadow saw
	Differed     int64 `json:"shadow_differed,omitempty"` // and made something else of
	DeadLettered int64 `json:"dead_lettered,omitempty"`
}

// OriginAPI is the origin of a binding that was made by the admin API.
const OriginAPI = "api"

// BindingOf shows a binding of which nothing more is known than its settings.
func BindingOf(u guest.Use) Binding {
	b := &u.Binding
	shown := Binding{
		Topic: u.Topic, Kind: u.Kind, Place: u.Place, Module: b.Module, Origin: OriginAPI, Config: b.Config, OnError: b.OnError,
		Routes: b.Routes, Instances: b.Instances, Fallback: b.Fallback,
	}
	if b.File != "" {
		shown.Origin = fmt.Sprintf("%s:%d", path.Base(b.File), b.Line)
	}
	return shown
}

// BoundBinding shows a binding that is in use.
func BoundBinding(b *guest.Bound) Binding {
	shown := BindingOf(b.Use)
	shown.Serving = b.Serving()
	if err := b.Broken(); err != nil {
		shown.Refused = err.Error()
	}
	shown.Compared, shown.Differed, shown.DeadLettered = b.Stats.Compared.Load(), b.Stats.Differed.Load(), b.Stats.DeadLettered.Load()
	return shown
}

// bindingsOf are the bindings of a module: those in use, and those that the API made for topics that come with their first
// record.
func (s *Server) bindingsOf(module string) []Binding {
	all := []Binding{}
	bounds := s.modules.Bounds()
	for _, b := range bounds {
		if b.Binding.Module != module {
			continue
		}
		same := func(o Binding) bool { return o.Topic == b.Topic && o.Kind == b.Kind && o.Place == b.Place }
		if i := slices.IndexFunc(all, same); i >= 0 { // one is being replaced by the other
			all[i] = BoundBinding(b)
			continue
		}
		all = append(all, BoundBinding(b))
	}
	for _, u := range s.modules.Stored() {
		used := func(b *guest.Bound) bool { return b.Topic == u.Topic && b.Kind == u.Kind }
		if u.Binding.Module == module && !slices.ContainsFunc(bounds, used) {
			all = append(all, BindingOf(u))
		}
	}
	return all
}

func (s *Server) bindPartitioner(w http.ResponseWriter, r *http.Request) error {
	var b registry.Binding
	if err := s.readJSON(w, r, &b, false); err != nil {
		return err
	}
	return s.bind(w, r, guest.Partitioner, []registry.Binding{b})
}

// bindInterceptors takes a list, or the one binding that the list would have.
func (s *Server) bindInterceptors(w http.ResponseWriter, r *http.Request) error {
	var raw json.RawMessage
	if err := s.readJSON(w, r, &raw, false); err != nil {
		return err
	}
	if raw[0] != '[' {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	var list []registry.Binding
	if err := decode(raw, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		return invalid("the list is empty; DELETE removes the interceptors of a topic")
	}
	return s.bind(w, r, guest.Interceptor, list)
}

func (s *Server) unbind(kind guest.Kind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.bind(w, r, kind, nil)
	}
}

// bind makes list the bindings of a kind that a topic has, and answers when they serve.
func (s *Server) bind(w http.ResponseWriter, r *http.Request, kind guest.Kind, list []registry.Binding) error {
	topic := r.PathValue("t")
	for i := range list {
		if list[i].Module == "" {
			return invalid("%s: it is missing", field(kind, i, "module"))
		}
		if list[i].OnError == "" {
			list[i].OnError = registry.Continue
		}
	}
	s.binding.Lock()
	defer s.binding.Unlock()
	if err := s.gateway.Bind(r.Context(), topic, kind, list); err != nil {
		return err
	}
	if list == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	t, ok := s.gateway.Topic(topic)
	if !ok {
		return noTopic(topic)
	}
	answer(w, t)
	return nil
}

// CheckBindings says what is wrong with bindings for a topic with those settings, as far as no module has to be asked.
func CheckBindings(kind guest.Kind, list []registry.Binding, t config.Topic) error {
	const most = 16 // as in the file
	if len(list) > most {
		return failf(http.StatusUnprocessableEntity, codeInvalidValue, "interceptors: %d are given, a topic has at most %d", len(list), most)
	}
	for i, b := range list {
		switch {
		case kind == guest.Partitioner && b.OnError == registry.DeadLetter:
			return failf(http.StatusUnprocessableEntity, codeInvalidValue, "on_error %q: a partitioner's must be continue or strict; dlq is for interceptors", b.OnError)
		case kind == guest.Partitioner && len(b.Routes) > 0:
			return failf(http.StatusUnprocessableEntity, codeInvalidValue, "routes: a partitioner routes to no other topic")
		case kind == guest.Interceptor && b.Fallback != "":
			return failf(http.StatusUnprocessableEntity, codeInvalidValue, "%s %q: only a partitioner has one", field(kind, i, "fallback"), b.Fallback)
		case b.Fallback != "" && !slices.Contains(config.PartitionerNames(), b.Fallback):
			return failf(http.StatusUnprocessableEntity, codeInvalidValue, "fallback %q: must be one of %s", b.Fallback, strings.Join(config.PartitionerNames(), ", "))
		case b.OnError == registry.DeadLetter && t.DeadLetter.Topic == "":
			return failf(http.StatusUnprocessableEntity, codeInvalidValue, "%s %q: topic %q has no dead_letter.topic in the configuration",
				field(kind, i, "on_error"), b.OnError, t.Name)
		}
	}
	return nil
}

func field(kind guest.Kind, i int, name string) string {
	if kind == guest.Partitioner {
		return name
	}
	return fmt.Sprintf("interceptors[%d].%s", i, name)
}

func noTopic(name string) *failure {
	return failf(http.StatusNotFound, record.TopicNotAllowed.String(), "no [topics.*] table of the configuration matches topic %q", name)
}

// NotBound is the error for modules that are to be removed from a topic and are not there.
func NotBound(topic string, kind guest.Kind) error {
	return failf(http.StatusNotFound, codeNotBound, "topic %q has no %s that the API bound, so there is none to unbind", topic, kind)
}

// NoTopic is the error for a topic that no table matches.
func NoTopic(name string) error { return noTopic(name) }
