package drill

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/gateway/drill/check"
)

const (
	settleTime   = time.Second
	recoverLimit = time.Minute
	keepFindings = 20 // of a round, in the report; the folder of the round has the evidence for all
)

// Round is what came of one round.
type Round struct {
	Faults   []string       `json:"faults"`
	Number   int            `json:"round"`
	Outcomes map[string]int `json:"outcomes"` // records by outcome
	Answers  map[string]int `json:"answers"`  // records by status and code

	Transactions map[string]int `json:"transactions"` // by outcome; their records are among Outcomes
	Letters      int            `json:"letters"`      // dead letters that were found, those that nobody was told of included
	Repeated     int            `json:"repeated"`     // copies in the log of records that are there already

	Found       int             `json:"found"` // findings in all
	Findings    []check.Finding `json:"findings,omitempty"`
	Unavailable time.Duration   `json:"unavailable_ns"` // the longest time in which a topic stored nothing
	Slowest     time.Duration   `json:"slowest_ns"`     // the longest time to an answer
	Took        time.Duration   `json:"took_ns"`
	Folder      string          `json:"folder,omitempty"` // history, log and the gateway's log, if they were kept
	Error       string          `json:"error,omitempty"`  // why the round could not be judged
}

func (r *Round) name() string { return strings.Join(r.Faults, "+") }

// round runs one round on a stage whose topics and gateway are new.
type round struct {
	stage  *stage
	faults []Fault
	hold   time.Duration
	settle time.Duration // how long there is load before and after the faults
	rate   int
	dir    string
	prefix string // of the records' ids
	say    func(format string, args ...any)

	started  time.Time // the load
	ended    time.Time
	findings []check.Finding
}

// run returns an error when the round could not be judged.
func (r *round) run(ctx context.Context) (*Round, error) {
	if err := r.stage.create(ctx); err != nil {
		return nil, err
	}
	defer r.stage.gateway.kill()
	if err := r.stage.gateway.start(ctx); err != nil {
		return nil, err
	}
	if err := r.stage.gateway.ready(ctx); err != nil {
		return nil, err
	}
	entries, err := r.underLoad(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.emptied(ctx); err != nil {
		return nil, err
	}
	r.stage.termGateway()
	log, err := r.stage.observer.read(ctx, r.stage.all())
	if err != nil {
		return nil, err
	}
	return r.verdict(entries, log)
}

// underLoad lets the faults happen while senders send, and returns the history.
func (r *round) underLoad(ctx context.Context) (entries []check.Entry, err error) {
	file, err := os.Create(filepath.Join(r.dir, "history.ndjson"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	history := check.NewWriter(file)
	r.started = time.Now()
	l := startLoad(ctx, r.stage.senders(), r.prefix, r.stage.gateway.addr, r.rate, history)
	defer func() {
		r.ended = time.Now()
		entries = l.end()
		err = errors.Join(err, history.Close())
	}()
	if err := pause(ctx, r.settle); err != nil {
		return nil, err
	}
	if err := r.disturb(ctx); err != nil {
		return nil, err
	}
	r.say("  recovering")
	if err := r.stage.heal(ctx); err != nil {
		return nil, fmt.Errorf("what the faults broke does not heal: %w", err)
	}
	if err := r.recover(ctx, l); err != nil {
		return nil, err
	}
	return nil, pause(ctx, r.settle)
}

// disturb lets the faults happen, each for as long as the round says, a second one from the middle of the first on.
func (r *round) disturb(ctx context.Context) error {
	errs := make([]error, len(r.faults))
	var wg sync.WaitGroup
	for i, f := range r.faults {
		wg.Go(func() {
			if errs[i] = pause(ctx, time.Duration(i)*r.hold/2); errs[i] == nil {
				errs[i] = r.happen(ctx, f)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r *round) happen(ctx context.Context, f Fault) error {
	r.say("  %s", f.Name)
	end, err := f.start(ctx, r.stage)
	if err == nil {
		err = pause(ctx, r.hold)
	}
	if end != nil {
		r.say("  %s ends", f.Name)
		err = errors.Join(err, end(ctx))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}

// recover waits until every topic stores records again. That one does not is a finding.
func (r *round) recover(ctx context.Context, l *load) error {
	healed := now()
	limit := time.NewTimer(recoverLimit)
	defer limit.Stop()
	poll := time.NewTicker(kafkaPoll)
	defer poll.Stop()
	for !l.storedSince(healed) {
		select {
		case <-poll.C:
		case <-limit.C:
			r.findings = append(r.findings, check.Finding{
				Rule: "recovery", Detail: fmt.Sprintf("%v after everything is up again, a topic still stores nothing: %s", recoverLimit, l.silent(healed)),
			})
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// pause lets time go by under load.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// verdict compares the history with the log.
func (r *round) verdict(entries []check.Entry, log []check.LogRecord) (*Round, error) {
	s := r.stage
	found := check.Check(&check.Run{Entries: entries, Log: log, Kills: s.kills, Stops: s.stops, Restarts: s.restarts(), Wiped: s.wiped, Grown: s.grown}, rules())
	found = append(append(found, s.drain...), r.findings...)
	v := &Round{
		Faults: namesOf(r.faults), Outcomes: make(map[string]int), Answers: make(map[string]int), Transactions: make(map[string]int), Found: len(found), Findings: found[:min(len(found), keepFindings)],
		Unavailable: longestGap(entries, r.started.UnixMicro(), r.ended.UnixMicro()), Took: time.Since(r.started),
	}
	for i := range entries {
		e := &entries[i]
		v.Outcomes[string(e.Outcome())]++
		v.Answers[strings.TrimSpace(fmt.Sprint(e.Status, " ", e.Code))]++
		if e.Tx && e.Seq%int64(transaction.size()) == 0 { // its first record
			v.Transactions[string(e.Outcome())]++
		}
		if e.Status != 0 {
			v.Slowest = max(v.Slowest, time.Duration(e.Answered-e.Sent)*time.Microsecond)
		}
	}
	seen := make(map[string]bool, len(log))
	for i := range log {
		if log[i].Letter != nil {
			v.Letters++
			continue
		}
		if seen[log[i].ID] {
			v.Repeated++
		}
		seen[log[i].ID] = true
	}
	return v, r.keepEvidence(log, found)
}

// keepEvidence writes beside the history what it was compared with.
func (r *round) keepEvidence(log []check.LogRecord, found []check.Finding) error {
	file, err := os.Create(filepath.Join(r.dir, "log.ndjson"))
	if err != nil {
		return err
	}
	defer file.Close()
	out := json.NewEncoder(file)
	for i := range log {
		err = errors.Join(err, out.Encode(&log[i]))
	}
	text, jsonErr := json.MarshalIndent(found, "", "  ")
	return errors.Join(err, jsonErr, os.WriteFile(filepath.Join(r.dir, "findings.json"), text, 0o600))
}

// longestGap is the longest time in which some topic stored nothing, between two times in microseconds.
func longestGap(entries []check.Entry, from, to int64) time.Duration {
	stored := make(map[string][]int64)
	for i := range entries {
		e := &entries[i]
		stored[e.Topic] = append(stored[e.Topic], from) // every topic that was sent to counts
		if o := e.Outcome(); o == check.Stored || o == check.Accepted && e.Spooled {
			stored[e.Topic] = append(stored[e.Topic], min(e.Answered, to))
		}
	}
	var longest int64
	for _, times := range stored {
		times = append(times, to)
		slices.SortFunc(times, cmp.Compare[int64])
		for i := range times[1:] {
			longest = max(longest, times[i+1]-times[i])
		}
	}
	return time.Duration(longest) * time.Microsecond
}
