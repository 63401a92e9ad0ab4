package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/registry"
)

// Gateway is what the admin plane shows and changes, beside modules. Its methods may be called from any goroutine and return
// what may be kept.
type Gateway interface {
	Status() Status
	// Topics is every topic in use, in any order.
	Topics() []TopicState
	// Topic is one topic; false if no [topics.*] table matches.
	Topic(name string) (TopicState, bool)
	// Bind makes list the modules of that kind that the API binds to a topic, which may be none, after it has shown that they
	// can be; and returns when they serve.
	Bind(ctx context.Context, topic string, kind guest.Kind, list []registry.Binding) error
}

// The states of a gateway.
const (
	OK       = "ok"
	Starting = "starting" // until its modules are built
	Draining = "draining" // while it shuts down
)

// Status is how the gateway is.
type Status struct {
	State   string    `json:"status"`  // OK, Starting or Draining
	Kafka   string    `json:"kafka"`   // ok, or why the cluster is not
	Version string    `json:"version"` // of the binary
	Started time.Time `json:"started"`
}

// TopicState is one topic.
type TopicState struct {
	Name       string             `json:"name"`
	Table      string             `json:"table"`      // the [topics.*] pattern that matched
	Partitions int                `json:"partitions"` // 0 while they are not known
	Buffer     Buffer             `json:"buffer"`
	Counters   Counters           `json:"counters"`
	Spool      *Spool             `json:"spool,omitempty"`    // if it has one
	Refused    string             `json:"refused,omitempty"`  // why all its records are refused
	Settings   []config.Effective `json:"settings,omitempty"` // effective, secrets masked; not in the list of all topics
	Bindings   []Binding          `json:"bindings,omitempty"` // the interceptors in their order, then the partitioner; not in the list of all topics
}

// Buffer is the topic's buffer.memory.
type Buffer struct {
	Total     int64 `json:"total_bytes"`
	Available int64 `json:"available_bytes"`
	Waiting   int   `json:"waiting"` // requests that wait for it
}

// Spool is the topic's spool.
type Spool struct {
	Waiting   int64   `json:"waiting"`            // records that are not stored
	Bytes     int64   `json:"disk_bytes"`         // of spool.max.bytes
	Max       int64   `json:"max_bytes"`          // spool.max.bytes
	Oldest    float64 `json:"oldest_age_seconds"` // of those that wait; 0 if none does
	Stored    int64   `json:"stored"`             // records out of it, since the gateway took it up
	Letters   int64   `json:"dead_lettered"`      // records out of it that became dead letters
	SentAgain int64   `json:"sent_again"`
	Lost      int64   `json:"lost"` // records that could not be read back, or were refused for their own sake and are no dead letters
}

// Counters is what happened to the topic's records since the gateway took up the topic.
type Counters struct {
	Accepted  int64 `json:"accepted"`         // into the buffer
	Stored    int64 `json:"stored"`           // by Kafka
	Failed    int64 `json:"failed"`           // after they were accepted
	Refused   int64 `json:"refused"`          // before
	Exhausted int64 `json:"buffer_exhausted"` // of those, for want of buffer.memory
	Bytes     int64 `json:"accepted_bytes"`   // keys, values and headers, uncompressed
}

func (s *Server) topics(w http.ResponseWriter, _ *http.Request) {
	all := slices.SortedFunc(slices.Values(s.gateway.Topics()), func(a, b TopicState) int { return cmp.Compare(a.Name, b.Name) })
	list := make([]TopicState, len(all)) // not nil: no topics are [], not null
	for i, t := range all {
		t.Settings, t.Bindings = nil, nil
		list[i] = t
	}
	answer(w, map[string][]TopicState{"topics": list})
}

func (s *Server) topic(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("t")
	t, ok := s.gateway.Topic(name)
	if !ok {
		fail(w, noTopic(name))
		return
	}
	answer(w, t)
}
