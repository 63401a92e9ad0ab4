package localkafka

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Distribution is an unpacked Apache Kafka and the java to run it with.
type Distribution struct{ Home, Java string }

// Find makes a Distribution of a folder with libs/*.jar, and of the java at JAVA_HOME or on the PATH.
func Find(home string) (Distribution, error) {
	if !HasJars(home) {
		return Distribution{}, fmt.Errorf("%s is no Apache Kafka: it has no libs/*.jar", home)
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return Distribution{}, err
	}
	java, err := FindJava("java")
	return Distribution{home, java}, err
}

// HasJars says whether a folder is a distribution.
func HasJars(home string) bool {
	jars, err := filepath.Glob(filepath.Join(home, "libs", "*.jar"))
	return err == nil && len(jars) > 0
}

// FindJava finds a program of the JDK.
func FindJava(name string) (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return exec.LookPath(filepath.Join(home, "bin", name))
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("no %s: install a JDK 17 or later", name)
	}
	return path, nil
}

// ClassPath is all jars of the distribution, in java's own wildcard.
func (d Distribution) ClassPath() string { return filepath.Join(d.Home, "libs", "*") }
