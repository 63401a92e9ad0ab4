package registry

import (
	"maps"
	"slices"
	"sync"
)

// Watch collects what changes in a registry for one reader. Changes of the same thing become one, none gets lost: what
// is read after Take is at least as new as what Take named.
//
//	w := r.Watch()
//	defer w.Close()
//	for {
//		select {
//		case <-ctx.Done():
//			return
//		case <-w.Ready():
//			apply(w.Take())
//		}
//	}
type Watch struct {
	r     *Registry
	ready chan struct{} // holds one while there is something to take

	mu      sync.Mutex
	changed map[Key]struct{}
}

// Changes names what changed, sorted. What a name stands for may be gone.
type Changes struct {
	Modules []string // versions, rollout, or whether a version is damaged
	Topics  []string // bindings
}

// Watch returns a Watch that has everything there is to take at first, so that its reader needs no other beginning.
func (r *Registry) Watch() *Watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &Watch{r: r, ready: make(chan struct{}, 1), changed: map[Key]struct{}{}}
	r.watches[w] = struct{}{}
	s := r.state.Load()
	for _, kind := range []Kind{Modules, Topics} {
		for _, name := range s.names(kind) {
			w.add(Key{kind, name})
		}
	}
	return w
}

// tell lets the watches know of a change that was published. The caller holds mu.
func (r *Registry) tell(k Key) {
	for w := range r.watches {
		w.add(k)
	}
}

func (w *Watch) add(k Key) {
	w.mu.Lock()
	w.changed[k] = struct{}{}
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// Ready can be received from when there is something to take; Take may then still find that it was taken already.
func (w *Watch) Ready() <-chan struct{} { return w.ready }

// Take returns what changed since the last Take, which may be nothing.
func (w *Watch) Take() Changes {
	w.mu.Lock()
	changed := w.changed
	w.changed = map[Key]struct{}{}
	w.mu.Unlock()
	var c Changes
	for k := range maps.Keys(changed) {
		if k.Kind == Modules {
			c.Modules = append(c.Modules, k.Name)
		} else {
			c.Topics = append(c.Topics, k.Name)
		}
	}
	slices.Sort(c.Modules)
	slices.Sort(c.Topics)
	return c
}

// Close ends the watch: nothing is added any more.
func (w *Watch) Close() {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	delete(w.r.watches, w)
}
