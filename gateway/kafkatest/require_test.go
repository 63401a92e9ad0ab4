package kafkatest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// outcome runs f as a test of its own and says how Missing ended it.
type outcome struct {
	testing.TB
	skipped, failed string
}

func (o *outcome) Helper() {}

func (o *outcome) Skipf(format string, args ...any)  { o.skipped = format }
func (o *outcome) Fatalf(format string, args ...any) { o.failed = format }

func TestMissingSkipsOrFails(t *testing.T) {
	t.Setenv("SLUICE_REQUIRE_ALL", "")
	var o outcome
	if Missing(&o, "no kcat"); o.skipped != "no kcat" || o.failed != "" {
		t.Errorf("without SLUICE_REQUIRE_ALL: %+v", o)
	}
	t.Setenv("SLUICE_REQUIRE_ALL", "1")
	o = outcome{}
	if Missing(&o, "no kcat"); o.skipped != "" || !strings.Contains(o.failed, "no kcat") {
		t.Errorf("with SLUICE_REQUIRE_ALL: %+v", o)
	}
}

func TestFindHome(t *testing.T) {
	repo := t.TempDir()
	pkg := filepath.Join(repo, "main", "gateway")
	jars := func(home string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(home, "libs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, "libs", "kafka.jar"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return home
	}
	if err := os.MkdirAll(pkg, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(repo, "main", "go.mod"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(pkg)

	check := func(kafkaHome, want, wantErr string) {
		t.Helper()
		t.Setenv("KAFKA_HOME", kafkaHome)
		got, err := findHome()
		if got != want || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("KAFKA_HOME=%q: %q, %v; want %q, %q", kafkaHome, got, err, want, wantErr)
		}
	}
	check("", "", "set KAFKA_HOME")
	check(repo, "", "has no libs/*.jar")
	sibling := jars(filepath.Join(repo, "shared", "kafka"))
	check("", sibling, "")
	elsewhere := jars(filepath.Join(repo, "kafka_2.13"))
	check(elsewhere, elsewhere, "")
}
