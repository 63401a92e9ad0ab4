package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/wasmhost"
)

// session is one run of module test.
type session struct {
	flags  *testFlags
	module *wasmhost.Module
	limits config.Wasm
	lines  []byte // of the records
	trial  admin.Trial
	name   string
	out    io.Writer
}

// run runs the hooks one after the other, each on the records as they are in the file.
func (t session) run(ctx context.Context, hooks []wasmhost.Hook) error {
	all := tested{Results: []admin.TryResult{}}
	var failed failedError
	for _, hook := range hooks {
		before, err := admin.Records(t.lines)
		if err != nil {
			return err
		}
		t.trial.Hook = hook.String()
		result, err := admin.RunTrial(ctx, t.module, t.name, t.limits.LogLines, t.trial, slices.Clone(before))
		if err != nil {
			return fmt.Errorf("module %q: %w", t.name, err)
		}
		all.Results = append(all.Results, result)
		if !t.flags.asJSON {
			newPaper(t.out).result(before, result)
		}
		if n := broke(result); n > 0 && t.flags.expect == "" {
			failed.what = append(failed.what, fmt.Sprintf("%s failed on %d records", hook, n))
		}
	}
	if err := t.expect(&all, &failed); err != nil {
		return err
	}
	if err := t.fuzz(ctx, hooks, &all, &failed); err != nil {
		return err
	}
	if t.flags.asJSON {
		if err := printJSON(t.out, all); err != nil {
			return err
		}
	}
	if len(failed.what) > 0 {
		return &failed
	}
	return nil
}

// broke is on how many records a module failed that it did not refuse in good order.
func broke(r admin.TryResult) int {
	n := 0
	for i := range r.Records {
		if o := &r.Records[i]; o.Verdict != "passed" && o.Cause != wasmhost.RecordError.String() {
			n++
		}
	}
	return n
}
