package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/guest"
	"sluice/wasmhost"
)

// fuzzed is what --fuzz found.
type fuzzed struct {
	Records  int       `json:"records"` // that were tried
	Seed     uint64    `json:"seed"`
	Findings []finding `json:"findings"`
}

// finding is a record that the module fails on.
type finding struct {
	Hook   string `json:"hook"`
	Cause  string `json:"cause"`
	Reason string `json:"reason"`
	Record string `json:"record"` // a line for --in, as text: not a byte of a value may change
	Count  int    `json:"count"`  // records that it failed on in the same way
}

// fuzz changes the records at random for as long as --fuzz says, each hook for the same time.
func (t session) fuzz(ctx context.Context, hooks []wasmhost.Hook, all *tested, failed *failedError) error {
	if t.flags.fuzz == 0 {
		return nil
	}
	f := &fuzzed{Seed: t.flags.seed, Findings: []finding{}}
	if f.Seed == 0 {
		f.Seed = rand.Uint64()
	}
	all.Fuzz = f
	samples, err := admin.Records(t.lines)
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		until, cancel := context.WithTimeout(ctx, t.flags.fuzz/time.Duration(len(hooks)))
		err := t.fuzzHook(until, hook, samples, f)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	if !t.flags.asJSON {
		t.printFuzz(f)
	}
	if n := len(f.Findings); n > 0 {
		failed.what = append(failed.what, fmt.Sprintf("--fuzz found %d ways to make it fail", n))
	}
	return nil
}

func (t session) fuzzHook(ctx context.Context, hook wasmhost.Hook, samples []wasmhost.Record, f *fuzzed) error {
	trial := guest.Trial{
		Topic: t.trial.Topic, Partitions: *t.trial.Partitions, Config: t.trial.Config, Routes: t.trial.Routes, Hook: hook, Now: t.trial.Now, LogLines: 1,
	}
	g, err := guest.NewTester(t.module, t.name, trial)
	if err != nil {
		return err
	}
	defer g.Close()
	m := newMutator(f.Seed, uint64(hook))
	for ctx.Err() == nil {
		record := m.record(samples)
		line := guest.LineOf(&record)
		one := []wasmhost.Record{record}
		if err := g.Run(ctx, one); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		f.Records++
		if found(&one[0]) {
			if err := f.add(hook, &one[0], line); err != nil {
				return err
			}
		}
	}
	return nil
}

// found says whether a record shows that the module is wrong: it may refuse records, but not break on them.
func found(r *wasmhost.Record) bool {
	switch r.Cause {
	case wasmhost.Trap, wasmhost.OutOfFuel, wasmhost.OutOfTime, wasmhost.OutOfMemory, wasmhost.BadOutput, wasmhost.OutputTooLarge,
		wasmhost.InvalidPartition, wasmhost.ReturnCode:
		return true
	default:
		return false
	}
}

// maxFindings bounds what is kept; a module that fails in more ways has enough to be mended first.
const maxFindings = 50

// add keeps the shortest record of each way to fail.
func (f *fuzzed) add(hook wasmhost.Hook, r *wasmhost.Record, line guest.RecordLine) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(line); err != nil {
		return err
	}
	text := strings.TrimSpace(b.String())
	numbers := regexp.MustCompile(`[0-9]+`) // addresses, sizes
	same := func(o finding) bool {
		return o.Hook == hook.String() && o.Cause == r.Cause.String() && numbers.ReplaceAllString(o.Reason, "") == numbers.ReplaceAllString(r.Reason, "")
	}
	i := slices.IndexFunc(f.Findings, same)
	if i < 0 && len(f.Findings) < maxFindings {
		f.Findings = append(f.Findings, finding{Hook: hook.String(), Cause: r.Cause.String(), Reason: r.Reason, Record: text, Count: 1})
		return nil
	}
	if i < 0 {
		return nil
	}
	f.Findings[i].Count++
	if len(text) < len(f.Findings[i].Record) {
		f.Findings[i].Record, f.Findings[i].Reason = text, r.Reason
	}
	return nil
}

func (t session) printFuzz(f *fuzzed) {
	p := newPaper(t.out)
	fmt.Fprintf(t.out, "%s\n", p.in(bold, fmt.Sprintf("fuzz: %d records, --seed %d", f.Records, f.Seed)))
	for _, o := range f.Findings {
		fmt.Fprintf(t.out, "  %s, %d times, for example on\n%s\n", p.in(red, fmt.Sprintf("%s failed (%s): %s", o.Hook, o.Cause, o.Reason)), o.Count, o.Record)
	}
	if len(f.Findings) == 0 {
		fmt.Fprintln(t.out, "  it did not fail")
	}
}
