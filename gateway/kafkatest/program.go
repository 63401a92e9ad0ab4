package kafkatest

import (
	"bytes"
	"context"
	"os/exec"
	"testing"
	"time"

	"sluice/gateway/localkafka"
)

// programTimeout bounds a program that a test runs to its end.
const programTimeout = 2 * time.Minute

// RunClass runs a Java class of the distribution, for example org.apache.kafka.tools.ProducerPerformance, and returns
// what it wrote to standard output. Any exit status but 0 fails the test with all of its output.
func (c *Cluster) RunClass(class string, args ...string) string {
	c.t.Helper()
	return run(c.t, c.nodes.Dist.Java, c.javaArgs(class, args)...)
}

// RunJava compiles and runs a Java program of one source file, with Kafka's jars on the class path, like RunClass.
func (c *Cluster) RunJava(sourceFile string, args ...string) string {
	c.t.Helper()
	if _, err := localkafka.FindJava("javac"); err != nil {
		Missing(c.t, "%v", err)
	}
	return run(c.t, c.nodes.Dist.Java, c.javaArgs(sourceFile, args)...)
}

func (c *Cluster) javaArgs(program string, args []string) []string {
	return append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", c.nodes.Dist.ClassPath(), program}, args...)
}

// Kcat runs kcat with args and returns what it wrote to standard output, like RunClass.
func Kcat(t testing.TB, args ...string) string {
	t.Helper()
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		Missing(t, "no kcat: install it (apt-get install kcat, brew install kcat)")
	}
	return run(t, kcat, args...)
}

func run(t testing.TB, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), programTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	p, err := localkafka.StartProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s%s", program, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}
