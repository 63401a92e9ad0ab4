package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestDrillSaysWhatItNeeds(t *testing.T) {
	sluice := binary(t)
	t.Setenv("KAFKA_HOME", "")
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"drill --help", 0, "leader-kill"},
		{"drill", 1, "give --kafka-home or KAFKA_HOME"},
		{"drill --kafka-home /nowhere", 1, "/nowhere is no Apache Kafka"},
		{"drill --faults flood", 2, `no fault "flood"`},
		{"drill --rounds 0", 2, "rounds must be at least 1"},
		{"drill extra", 2, "extra"},
	} {
		out, err := exec.CommandContext(t.Context(), sluice, strings.Fields(c.args)...).CombinedOutput()
		status := 0
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			status = failed.ExitCode()
		}
		if status != c.status || !strings.Contains(string(out), c.want) {
			t.Errorf("sluice %s: status %d, want %d and %q:\n%s", c.args, status, c.status, c.want, out)
		}
		if c.status == 1 && strings.Count(strings.TrimSpace(string(out)), "\n") != 0 {
			t.Errorf("sluice %s says it in more than one line:\n%s", c.args, out)
		}
	}
}
