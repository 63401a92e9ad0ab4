package producer

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestJavaTestsExist: the tests that JAVA_TESTS.md names are there, and every row names one or says why there is none.
func TestJavaTestsExist(t *testing.T) {
	text, err := os.ReadFile("JAVA_TESTS.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z]+)\\.(Test\\w+)`")
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	tests := make(map[string]map[string]bool) // by package
	rows := 0
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("| ")) || bytes.HasPrefix(line, []byte("| original")) {
			continue
		}
		rows++
		names := named.FindAllSubmatch(line, -1)
		if len(names) == 0 && !bytes.Contains(line, []byte("| Not applicable: ")) {
			t.Errorf("the row names no test and no reason: %s", line)
		}
		for _, n := range names {
			pkg, name := string(n[1]), string(n[2])
			if tests[pkg] == nil {
				tests[pkg] = make(map[string]bool)
				for _, found := range declaredIn(t, pkg, declared) {
					tests[pkg][found] = true
				}
			}
			if !tests[pkg][name] {
				t.Errorf("package %s has no %s: %s", pkg, name, line)
			}
		}
	}
	if rows < 80 {
		t.Errorf("%d rows: the table was not read", rows)
	}
}

func declaredIn(t *testing.T, pkg string, declared *regexp.Regexp) (names []string) {
	t.Helper()
	dir := filepath.Join("..", pkg)
	if pkg == "gateway" {
		dir = ".."
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("package %s: %d files, %v", pkg, len(files), err)
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllSubmatch(source, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}
