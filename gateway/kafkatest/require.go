package kafkatest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sluice/gateway/localkafka"
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

func findDistribution() (localkafka.Distribution, error) {
	home, err := findHome()
	if err != nil {
		return localkafka.Distribution{}, err
	}
	return localkafka.Find(home)
}

func findHome() (string, error) {
	if home := os.Getenv("KAFKA_HOME"); home != "" {
		if !localkafka.HasJars(home) {
			return "", fmt.Errorf("KAFKA_HOME=%s has no libs/*.jar", home)
		}
		return filepath.Abs(home)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	home := filepath.Join(filepath.Dir(root), "shared", "kafka")
	if !localkafka.HasJars(home) {
		return "", errors.New("no Apache Kafka: set KAFKA_HOME to an unpacked distribution")
	}
	return home, nil
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
