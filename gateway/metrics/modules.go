package metrics

// Modules is what the WASM host tells about the modules at one moment. Counts are totals since the process began.
type Modules struct {
	Short    func(id string) string // as much of a version's id as a label shows
	Versions []ModuleVersion        // each once; also those that serve no longer
	Serving  []Serving

	CandidatesEnded int64 // because they failed too often, or did not start
}

// ModuleVersion is a version of a module, in all topics together.
type ModuleVersion struct {
	Module, Version string // Version is the whole id
	Hooks           []ModuleHook

	Live         int64        // instances
	Idle         int64        // of them, not in a call
	Memory       int64        // linear memory of them, bytes
	Discarded    int64        // instances that failed
	Recycled     int64        // instances that were old or had grown
	StartsFailed int64        // instances that could not be made
	Waits        Distribution // for an instance, nanoseconds, of those that had to wait

	LinesDropped    int64 // of its log
	Counters        map[string]int64
	CountersRefused int64 // how often it named a counter that is not allowed
}

// ModuleHook is one hook of a version.
type ModuleHook struct {
	Name                     string
	Calls, Records           int64
	Changed, Dropped, Routed int64            // of the records
	Errors                   map[string]int64 // records by the word of the cause; those that the hook never saw too
	Latency                  Distribution     // of calls, nanoseconds
	Fuel                     Distribution     // of calls
}

// Serving is a version as one topic uses it.
type Serving struct {
	Module, Version string // Version is the whole id
	Table           string // the [topics.*] pattern of the topic
	Role            string // active, canary or shadow
	Breaker         Breaker
}

// Breaker is the state of a circuit breaker, the worse the larger.
type Breaker int

// The states.
const (
	BreakerClosed   Breaker = iota // the module is called
	BreakerHalfOpen                // it is called once, to see
	BreakerOpen                    // it is not called
)

// used says whether the hook was ever called, or should have been.
func (h *ModuleHook) used() bool { return h.Calls > 0 || len(h.Errors) > 0 }

// activity is a number that grows with whatever a version does.
func (v *ModuleVersion) activity() int64 {
	n := v.Discarded + v.Recycled + v.StartsFailed
	for i := range v.Hooks {
		n += v.Hooks[i].Calls
		for _, failed := range v.Hooks[i].Errors {
			n += failed
		}
	}
	return n
}

// ids gives versions their label: the short id. Whoever uploads two versions whose short ids are equal must not make every
// scrape fail, so those two show the whole one.
type ids struct {
	short func(string) string
	whole map[[2]string]string // by module and short id: the id, or "" of several
}

func newIDs(versions []ModuleVersion, short func(string) string) ids {
	all := make(map[[2]string]string, len(versions))
	for i := range versions {
		v := &versions[i]
		k := [2]string{v.Module, short(v.Version)}
		if _, twice := all[k]; twice {
			all[k] = ""
			continue
		}
		all[k] = v.Version
	}
	return ids{short, all}
}

func (all ids) label(module, id string) string {
	short := all.short(id)
	if one, ok := all.whole[[2]string{module, short}]; ok && one != id {
		return id
	}
	return short
}
