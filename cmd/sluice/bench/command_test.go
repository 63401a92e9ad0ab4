package bench

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// command runs `sluice bench <args>`.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := Command()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errOut)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errOut.String(), err
}

func TestOneLoadFromTheCommandLine(t *testing.T) {
	s := serve(t, ok)
	out, errOut, err := command(t, "--json", "--requests", "300", "--connections", "3", "--records", "5", "--admin", "", s.base.String())
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if s.requests.Load() != 300 || r.Result.Statuses["200"] != 300 || r.Settings.Dialect != dialectNDJSON || r.Result.Server != nil {
		t.Errorf("the server saw %d requests; report %+v", s.requests.Load(), r.Result)
	}
	if errOut != "" {
		t.Errorf("stderr is no terminal, yet it says %q", errOut)
	}
}

func TestProgressOnRequest(t *testing.T) {
	s := serve(t, ok)
	_, errOut, _ := command(t, "--progress", "--duration", "2s", "--warmup", "0s", s.base.String()) // how it went is another test's
	if !strings.Contains(errOut, "requests/s") {
		t.Errorf("stderr %q; want a line of progress", errOut)
	}
	if !strings.Contains(errOut, "warning: CPU and memory of the server are not reported") {
		t.Errorf("stderr %q; want a word on the missing --admin", errOut)
	}
}

func TestNothingStoredIsAFailure(t *testing.T) {
	s := serve(t, func(ctx *fasthttp.RequestCtx, _ int64) { ctx.SetStatusCode(404) })
	out, _, err := command(t, "--requests", "10", "--admin", "", s.base.String())
	if err == nil || !strings.Contains(err.Error(), "map[404:10]") || !strings.Contains(out, "404") {
		t.Errorf("error %v, report:\n%s\nwant both to name the status", err, out)
	}
}

func TestSideBySide(t *testing.T) {
	a, b := serve(t, ok), serve(t, ok)
	out, _, err := command(t, "--json", "--requests", "50", "--rounds", "3", a.base.String(), b.base.String())
	if err != nil {
		t.Fatal(err)
	}
	var c Comparison
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatal(err)
	}
	if a.requests.Load() != 150 || b.requests.Load() != 150 || len(c.Ratios) != 4 || len(c.Ratios[0].Rounds) != 3 {
		t.Errorf("%d and %d requests, ratios %+v; want 150 each and ratios of 3 rounds", a.requests.Load(), b.requests.Load(), c.Ratios)
	}
}

func TestSeveralRoundsOfOneAreAccounted(t *testing.T) {
	onLinux(t)
	c := start(t, "bench", "__nothing")
	target := "http://" + firstLine(t, c)
	out, _, err := command(t, "--json", "--requests", "500", "--rounds", "2", "--pid", strconv.Itoa(int(c.account())), target)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, figureCPURequest) {
		t.Errorf("no %s in\n%s", figureCPURequest, out)
	}
}
