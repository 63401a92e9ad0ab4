package realtest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"sluice/gateway/kafkatest"
)

// binary is the sluice program, built once for all tests that run it as a process.
var binary struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "realtest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary.dir = dir
	return kafkatest.Main(m)
}

// sluice returns the path of the program.
func sluice(t testing.TB) string {
	t.Helper()
	path := filepath.Join(binary.dir, "sluice")
	binary.once.Do(func() {
		out, err := exec.Command("go", "build", "-o", path, "sluice/cmd/sluice").CombinedOutput()
		if err != nil {
			binary.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return path
}
