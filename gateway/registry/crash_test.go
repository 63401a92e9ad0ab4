//go:build unix

package registry_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/registry"
)

// TestMain lets the test binary be the process that is killed, or whose disk is full.
func TestMain(m *testing.M) {
	switch os.Getenv("REGISTRY_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "ops":
		os.Exit(childOps())
	case "full":
		os.Exit(childFull())
	}
	os.Exit(2)
}

// An operation is chosen by a number, so that a process that is killed and the model in memory do the same.
var operations = []struct {
	name string
	do   func(r *registry.Registry, pick *rand.Rand) error
}{
	{"put", func(r *registry.Registry, p *rand.Rand) error {
		_, err := r.Put(pickName(p), wasm(p.IntN(6)), []byte(`{"fuel":1}`), upload)
		return err
	}},
	{"put", func(r *registry.Registry, p *rand.Rand) error {
		_, err := r.Put(pickName(p), wasm(p.IntN(6)), nil, upload)
		return err
	}},
	{"activate", func(r *registry.Registry, p *rand.Rand) error { return r.Activate(pickName(p), id(p.IntN(6)), "a") }},
	{"canary", func(r *registry.Registry, p *rand.Rand) error {
		return r.Canary(pickName(p), id(p.IntN(6)), 5, "c")
	}},
	{"shadow", func(r *registry.Registry, p *rand.Rand) error { return r.Shadow(pickName(p), id(p.IntN(6)), "s") }},
	{"rollback", func(r *registry.Registry, p *rand.Rand) error { _, err := r.Rollback(pickName(p), "r"); return err }},
	{"delete version", func(r *registry.Registry, p *rand.Rand) error { return r.DeleteVersion(pickName(p), id(p.IntN(6))) }},
	{"delete module", func(r *registry.Registry, p *rand.Rand) error { return r.DeleteModule(pickName(p)) }},
	{"bind", func(r *registry.Registry, p *rand.Rand) error {
		return r.SetPartitioner(pickTopic(p), &registry.Binding{Module: pickName(p)})
	}},
	{"intercept", func(r *registry.Registry, p *rand.Rand) error {
		return r.SetInterceptors(pickTopic(p), []registry.Binding{{Module: pickName(p), OnError: registry.Strict}, {Module: pickName(p)}})
	}},
	{"unbind", func(r *registry.Registry, p *rand.Rand) error { return r.DeleteBindings(pickTopic(p)) }},
}

func pickName(p *rand.Rand) string  { return []string{"m", "n", "o"}[p.IntN(3)] }
func pickTopic(p *rand.Rand) string { return []string{"orders", "Clicks"}[p.IntN(2)] }

// operate does the operation number i of a seed.
func operate(r *registry.Registry, seed, i uint64) (string, error) {
	p := rand.New(rand.NewPCG(seed, i))
	op := operations[p.IntN(len(operations))]
	return op.name, op.do(r, p)
}

// crashOptions make pruning part of the operations.
var crashOptions = registry.Options{MaxVersions: 4}

// childOps does operations number from to to-1 and writes "begin i", the steps of each write, and "end i ok|refused". If
// REGISTRY_TEST_KILL is n it kills itself before step n.
func childOps() int {
	env := func(name string) uint64 {
		n, _ := strconv.ParseUint(os.Getenv("REGISTRY_TEST_"+name), 10, 64)
		return n
	}
	seed, from, to, kill := env("SEED"), env("FROM"), env("TO"), env("KILL")
	step := uint64(0)
	r, err := registry.OpenFaulty(os.Getenv("REGISTRY_TEST_DIR"), crashOptions, func(name, _ string) error {
		step++
		if step == kill {
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			return errors.Join(self.Kill(), errors.New("it lives"))
		}
		_, err := fmt.Fprintln(os.Stdout, "step", name)
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := from; i < to; i++ {
		fmt.Fprintln(os.Stdout, "begin", i)
		_, err := operate(r, seed, i)
		fmt.Fprintln(os.Stdout, "end", i, outcome(err))
	}
	return 0
}

// outcome says how an operation ended; whatever is no refusal is a failure that a test must not meet.
func outcome(err error) string {
	for _, kind := range []error{registry.ErrNotFound, registry.ErrConflict, registry.ErrInUse} {
		if errors.Is(err, kind) {
			return "refused"
		}
	}
	if err != nil {
		return "failed: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return "ok"
}

// crash runs a process that does operations and is killed when it has written a number of lines (0: not by us). It returns
// what it wrote and whether it came to its end.
func crash(t *testing.T, lines int, env ...string) (journal []string, ended bool) {
	t.Helper()
	exe, err := os.Executable()
	ok(t, err)
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(append(os.Environ(), "REGISTRY_TEST_CHILD=ops"), env...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	for s := bufio.NewScanner(out); s.Scan(); {
		journal = append(journal, s.Text())
		if len(journal) == lines {
			ok(t, cmd.Process.Kill())
		}
	}
	err = cmd.Wait()
	if err != nil && !killed(cmd.ProcessState) {
		t.Fatal(err)
	}
	return journal, err == nil
}

func killed(s *os.ProcessState) bool {
	w, isUnix := s.Sys().(syscall.WaitStatus)
	return isUnix && w.Signaled() && w.Signal() == syscall.SIGKILL
}

// replay does to the model what the journal says was done, and returns the number of the operation that was cut off.
func replay(t *testing.T, model *registry.Registry, seed uint64, journal []string) (inFlight uint64, cut bool) {
	t.Helper()
	for _, line := range journal {
		var n uint64
		words := strings.SplitN(line, " ", 3)
		if len(words) > 1 {
			n, _ = strconv.ParseUint(words[1], 10, 64)
		}
		switch {
		case words[0] == "begin":
			inFlight, cut = n, true
		case words[0] == "end" && len(words) == 3: // else the kill cut the line off
			name, err := operate(model, seed, n)
			if got := outcome(err); got != words[2] {
				t.Fatalf("operation %d (%s) was %q, the model says %q", n, name, words[2], got)
			}
			cut = false
		}
	}
	return inFlight, cut
}

// afterKill opens the folder and wants the state of the model, or that after the operation that was cut off, which the model
// then does too.
func afterKill(t *testing.T, folder string, model *registry.Registry, seed, inFlight uint64, cut bool) (finished bool) {
	t.Helper()
	r, err := registry.Open(folder, crashOptions)
	ok(t, err)
	defer shut(t, r)
	if d := r.Damage(); len(d) > 0 {
		t.Fatal("damaged:", d)
	}
	got, before := snapshot(t, r), snapshot(t, model)
	name := ""
	if got != before && cut {
		name, _ = operate(model, seed, inFlight)
		finished = true
	}
	if after := snapshot(t, model); got != after {
		t.Fatalf("after a kill in operation %d (%q) the state is neither the old nor the new one\nold: %s\nnew: %s\ngot: %s",
			inFlight, name, before, after, got)
	}
	used := map[string]bool{}
	for _, m := range r.Modules() {
		for _, v := range m.Versions {
			used[v.ID] = true
		}
	}
	if diff := cmp.Diff(used, blobs(t, folder)); diff != "" {
		t.Fatal("blobs that nobody has are left:", diff)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*", "*.tmp")); err != nil || len(left) > 0 {
		t.Fatal("left behind:", left, err)
	}
	return finished
}

// A process is killed at random progress, again and again on the same folder.
func TestKillAtRandomTimes(t *testing.T) {
	t.Parallel()
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	folder, model := t.TempDir(), open(t, "", crashOptions)
	seed, next, cuts, finishes := rand.Uint64(), uint64(0), 0, 0
	t.Logf("seed %d", seed)
	for range rounds {
		journal, _ := crash(t, 1+rand.IntN(120), "REGISTRY_TEST_DIR="+folder, "REGISTRY_TEST_TO=1000000",
			fmt.Sprint("REGISTRY_TEST_SEED=", seed), fmt.Sprint("REGISTRY_TEST_FROM=", next))
		inFlight, cut := replay(t, model, seed, journal)
		if finished := afterKill(t, folder, model, seed, inFlight, cut); finished {
			finishes++
		}
		if cut {
			cuts++
		}
		next = inFlight + 1
	}
	t.Logf("%d operations, %d of %d kills cut one off, %d of those were complete after the restart", next, cuts, rounds, finishes)
	if cuts == 0 {
		t.Error("no kill came in time")
	}
}

// A process kills itself before every single step of every write of a series of operations.
func TestKillBeforeEveryStep(t *testing.T) {
	t.Parallel()
	const operations = 40
	steps, stride := uint64(0), uint64(1)
	if testing.Short() {
		stride = 11
	}
	for kill := uint64(1); ; kill += stride {
		folder, model := t.TempDir(), open(t, "", crashOptions)
		journal, ended := crash(t, 0, "REGISTRY_TEST_DIR="+folder, "REGISTRY_TEST_SEED=3", "REGISTRY_TEST_FROM=0",
			fmt.Sprint("REGISTRY_TEST_TO=", operations), fmt.Sprint("REGISTRY_TEST_KILL=", kill))
		inFlight, cut := replay(t, model, 3, journal)
		if cut == ended {
			t.Fatalf("killed before step %d: ended %v, cut %v", kill, ended, cut)
		}
		afterKill(t, folder, model, 3, inFlight, cut)
		if ended {
			break
		}
		steps = kill
	}
	t.Logf("%d steps", steps)
	if steps < 60 {
		t.Errorf("only %d steps: the operations do too little", steps)
	}
}

// Every step of every kind of operation fails, once (then taking it back works) or from then on (then it may not). Nothing
// may have changed, and after a restart neither, unless the error says that it may have.
func TestEveryStepFails(t *testing.T) {
	for name, op := range map[string]func(r *registry.Registry) error{
		"first version": func(r *registry.Registry) error { _, err := r.Put("new", wasm(5), nil, upload); return err },
		"next version":  func(r *registry.Registry) error { _, err := r.Put("m", wasm(5), nil, upload); return err },
		"activate":      func(r *registry.Registry) error { return r.Activate("m", id(1), "") },
		"rebind": func(r *registry.Registry) error {
			return r.SetInterceptors("Orders", []registry.Binding{{Module: "m"}})
		},
		"bind":            func(r *registry.Registry) error { return r.SetPartitioner("new", &registry.Binding{Module: "m"}) },
		"unbind":          func(r *registry.Registry) error { return r.SetPartitioner("clicks", nil) },
		"delete version":  func(r *registry.Registry) error { return r.DeleteVersion("m", id(2)) },
		"delete bindings": func(r *registry.Registry) error { return r.DeleteBindings("Orders") },
		"delete module":   func(r *registry.Registry) error { return r.DeleteModule("free") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for the disk
			base := filled(t)
			r := open(t, base, registry.Options{})
			put(t, r, "free", 4)
			shut(t, r)
			for _, lasting := range []bool{false, true} {
				n := 1
				for ; failAt(t, base, op, n, lasting); n++ {
				}
				if n < 3 {
					t.Errorf("it has only %d steps", n)
				}
			}
		})
	}
}

// failAt lets step n of an operation fail; it returns false if there is no such step.
func failAt(t *testing.T, base string, op func(*registry.Registry) error, n int, lasting bool) bool {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "copy")
	ok(t, os.CopyFS(folder, os.DirFS(base)))
	step, failed := 0, []string{}
	r, err := registry.OpenFaulty(folder, registry.Options{}, func(name, path string) error {
		step++
		if step == n || lasting && step > n {
			failed = append(failed, name+" "+path)
			return syscall.ENOSPC
		}
		return nil
	})
	ok(t, err)
	defer shut(t, r)
	before, revision := snapshot(t, r), r.Revision()
	err = op(r)
	after := snapshot(t, r)
	if len(failed) == 0 {
		ok(t, err)
		return false
	}
	if err != nil {
		path := failed[0][strings.Index(failed[0], folder):]
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
			t.Errorf("step %d (%s): %v", n, failed[0], err)
		}
		if diff := cmp.Diff(before, after); diff != "" || r.Revision() != revision {
			t.Errorf("step %d (%s) failed, but it changed: %s", n, failed[0], diff)
		}
	} else if before == after {
		t.Errorf("step %d (%s): no error, and nothing done", n, failed[0])
	}
	shut(t, r)
	again := open(t, folder, registry.Options{})
	defer shut(t, again)
	mayShow := err != nil && strings.Contains(err.Error(), "may show after a restart")
	if diff := cmp.Diff(after, snapshot(t, again)); diff != "" && !mayShow {
		t.Errorf("step %d (%s): a restart changed it: %s", n, failed[0], diff)
	}
	if mayShow && !lasting {
		t.Errorf("step %d (%s): not taken back: %v", n, failed[0], err)
	}
	if d := again.Damage(); len(d) > 0 {
		t.Error(d)
	}
	if again.Revision() < r.Revision() {
		t.Errorf("step %d: revision %d went back to %d", n, r.Revision(), again.Revision())
	}
	return true
}

// The order of the steps is what a power cut needs, which a kill cannot show: the bytes are on the disk before their name.
func TestStepsOfAnUpload(t *testing.T) {
	folder := t.TempDir()
	var steps []string
	r, err := registry.OpenFaulty(folder, registry.Options{}, func(name, path string) error {
		rel, err := filepath.Rel(folder, path)
		steps = append(steps, name+" "+filepath.ToSlash(rel))
		return err
	})
	ok(t, err)
	defer shut(t, r)
	put(t, r, "m", 0)
	ok(t, r.DeleteModule("m"))
	var want []string
	for _, file := range []string{"blobs/" + id(0), "modules/m.json", "meta/revision.json"} {
		for _, step := range []string{"create", "write", "sync", "close", "rename", "sync folder"} {
			want = append(want, step+" "+file)
		}
	}
	for _, file := range []string{"modules/m.json", "blobs/" + id(0)} {
		want = append(want, "remove "+file, "sync folder "+file)
	}
	if !slices.Equal(steps, want) {
		t.Error(cmp.Diff(want, steps))
	}
}

// The disk of a real process is full, as far as a limit on the size of files can make it so.
func TestDiskFull(t *testing.T) {
	exe, err := os.Executable()
	ok(t, err)
	folder := t.TempDir()
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "REGISTRY_TEST_CHILD=full", "REGISTRY_TEST_DIR="+folder)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(folder, "blobs", id(99)); !strings.Contains(string(out), want) {
		t.Errorf("%s does not name %s", out, want)
	}
	r := open(t, folder, registry.Options{})
	model := open(t, "", registry.Options{})
	put(t, model, "m", 0, 1)
	if diff := cmp.Diff(snapshot(t, model), snapshot(t, r)); diff != "" {
		t.Error(diff)
	}
	if b := blobs(t, folder); len(b) != 2 {
		t.Error("left behind:", b)
	}
}

// childFull uploads a version that does not fit, and then one that does.
func childFull() int {
	r, err := registry.Open(os.Getenv("REGISTRY_TEST_DIR"), registry.Options{})
	if err == nil {
		_, err = r.Put("m", wasm(0), nil, upload)
	}
	if err == nil {
		err = limitFileSize(20_000)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, err = r.Put("m", wasm(99), nil, upload)
	if !errors.Is(err, syscall.EFBIG) {
		fmt.Fprintln(os.Stderr, "not refused:", err)
		return 1
	}
	_, _ = io.WriteString(os.Stdout, err.Error())
	if _, err = r.Put("m", wasm(1), nil, upload); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
