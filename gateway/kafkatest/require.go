package kafkatest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Missing ends a test that needs something this machine does not have: it skips, or fails with SLUICE_REQUIRE_ALL=1.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
		t.Fatalf("SLUICE_REQUIRE_ALL=1, but "+format, args...)
		return
	}
	t.Skipf(format, args...)
}

// distribution is an unpacked Apache Kafka and the java to run it with.
type distribution struct{ home, java string }

// classPath is all jars of the distribution, in java's own wildcard.
func (d distribution) classPath() string { return filepath.Join(d.home, "libs", "*") }

func findDistribution() (distribution, error) {
	home, err := findHome()
	if err != nil {
		return distribution{}, err
	}
	java, err := findJava("java")
	return distribution{home, java}, err
}

func findHome() (string, error) {
	if home := os.Getenv("KAFKA_HOME"); home != "" {
		if !hasJars(home) {
			return "", fmt.Errorf("KAFKA_HOME=%s has no libs/*.jar", home)
		}
		return filepath.Abs(home)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	home := filepath.Join(filepath.Dir(root), "shared", "kafka")
	if !hasJars(home) {
		return "", errors.New("no Apache Kafka: set KAFKA_HOME to an unpacked distribution")
	}
	return home, nil
}

func hasJars(home string) bool {
	jars, err := filepath.Glob(filepath.Join(home, "libs", "*.jar"))
	return err == nil && len(jars) > 0
}

// moduleRoot is the nearest folder above the working directory that has a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// findJava finds a program of the JDK.
func findJava(name string) (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return exec.LookPath(filepath.Join(home, "bin", name))
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("no %s: install a JDK 17 or later", name)
	}
	return path, nil
}
