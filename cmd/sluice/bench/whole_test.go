package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// binary builds `sluice` as it is shipped.
func binary(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the whole binary; not with -short")
	}
	onLinux(t)
	exe := filepath.Join(t.TempDir(), "sluice")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "sluice/cmd/sluice").CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return exe
}

// whole runs `sluice bench <args> --json` and reads the report.
func whole(t *testing.T, exe string, report any, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), exe, append([]string{"bench", "--json", "--connections", "8"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v:\n%s", args, err, stderr.String())
	}
	if err := json.Unmarshal(out, report); err != nil {
		t.Fatalf("%q: %v:\n%s", args, err, out)
	}
}

func TestTheWholeOfIt(t *testing.T) {
	exe := binary(t)
	t.Run("limit", func(t *testing.T) {
		var c Comparison
		whole(t, exe, &c, "--limit", "--rounds", "2", "--duration", "300ms", "--warmup", "200ms", "--set", `partitioner = "sticky"`)
		if len(c.Contenders) != 4 || len(c.Ratios) != 2 || c.Settings.Kafka.TopicSettings[0] != `partitioner = "sticky"` {
			t.Fatalf("contenders %v, ratios %v, settings %+v", c.Contenders, c.Ratios, c.Settings)
		}
		for _, r := range c.Ratios {
			if len(r.Rounds) != 2 || r.Min <= 0 || r.Median < r.Min || r.Max < r.Median {
				t.Errorf("ratio %+v; want one of each round, in order", r)
			}
		}
	})
	t.Run("overload", func(t *testing.T) {
		var o Overload
		whole(t, exe, &o, "--overload", "--duration", "300ms", "--warmup", "200ms")
		if o.Peak.Goodput <= 0 || o.Overload.OfferedPerSecond != 2*o.Peak.Goodput || o.GoodputShare <= 0 || o.Excess == 0 {
			t.Errorf("report %+v, peak %+v, overload %+v", o, o.Peak, o.Overload)
		}
	})
	t.Run("idle", func(t *testing.T) {
		var i Idle
		whole(t, exe, &i, "--idle", "50")
		if i.Connections != 50 || i.Before <= 0 || i.After <= 0 {
			t.Errorf("report %+v", i)
		}
	})
}

func TestInterruptedItLeavesNothingBehind(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), binary(t), "bench", "--limit", "--progress")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() {
		t.Fatal("no progress: ", lines.Err())
	}
	children := childrenOf(t, cmd.Process.Pid)
	if len(children) != 3 {
		t.Errorf("%d children; want the broker, the do-nothing server and Sluice", len(children))
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until it has ended
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v, want status 1", err)
	}
	for _, pid := range children {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("child %d is still there: %v", pid, err)
		}
	}
}

// childrenOf finds the processes whose parent is pid.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, after, _ := strings.Cut(string(b), ") ") // behind the name, which may hold anything
		if f := strings.Fields(after); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			children = append(children, child)
		}
	}
	return children
}
