// Package nodetest lets tests ask the JavaScript library of others what it makes of a schema and its data. Only tests import it.
package nodetest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// dir is where a package under test keeps its interop.mjs and package.json.
const dir = "testdata/interop"

// Node is a run of interop.mjs, which reads JSON and writes JSON.
type Node struct{ cmd *exec.Cmd }

// Find finds node and the given package of npm. Without them the test skips, or fails with SLUICE_REQUIRE_ALL=1.
func Find(t *testing.T, pkg string) Node {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "node_modules", pkg))
	}
	if err != nil {
		const hint = "needs node and npm ci in %s: %v"
		here, _ := filepath.Abs(dir)
		if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
			t.Fatalf("SLUICE_REQUIRE_ALL=1, but "+hint, here, err)
		}
		t.Skipf(hint, here, err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "interop.mjs")
	cmd.Dir = dir
	return Node{cmd}
}

// Ask gives it the question as JSON and reads its answers: one for each of n cases.
func Ask[T any](t *testing.T, n Node, question any, cases int) []T {
	t.Helper()
	in, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	n.cmd.Stdin, n.cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := n.cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []T
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != cases {
		t.Fatalf("%d answers to %d cases, %v", len(answers), cases, err)
	}
	return answers
}
