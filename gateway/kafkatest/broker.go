package kafkatest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	startTimeout = 2 * time.Minute // a JVM on a busy machine
	stopTimeout  = time.Minute
	pollInterval = 50 * time.Millisecond
)

// errPortTaken says that another process took a port between our choice and the broker's start.
var errPortTaken = errors.New("a port was taken")

// broker is one node, broker and controller at once, with its data in dir.
type broker struct {
	id             int
	port, ctrlPort int
	dir            string
	dist           distribution
	jvm            []string
	proc           *process // nil before the first start
}

func (b *broker) addr() string    { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)) }
func (b *broker) logFile() string { return filepath.Join(b.dir, "server.log") }
func (b *broker) config() string  { return filepath.Join(b.dir, "server.properties") }

// format writes the configuration and prepares the data folder.
func (b *broker) format(clusterID, properties string) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	for path, content := range map[string]string{b.config(): properties, filepath.Join(b.dir, "log4j2.properties"): log4j} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	cmd := exec.Command(b.dist.java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", b.dist.classPath(),
		"kafka.tools.StorageTool", "format", "-t", clusterID, "-c", b.config())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format broker %d: %w\n%s", b.id, err, out)
	}
	return nil
}

// launch starts the process; wait says when it serves.
func (b *broker) launch() error {
	log, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(b.dist.java, b.args()...)
	cmd.Stdout, cmd.Stderr = log, log
	if b.proc, err = startProcess(cmd); err != nil {
		return fmt.Errorf("broker %d: %w", b.id, err)
	}
	return os.WriteFile(filepath.Join(b.dir, "pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644)
}

// args is the command line. The first compiler alone starts a broker with a third less CPU time.
func (b *broker) args() []string {
	args := []string{
		"-Xms256m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.configurationFile=" + filepath.Join(b.dir, "log4j2.properties"),
		"-Dlog4j2.shutdownHookEnabled=false", // log4j would fall silent before the broker has stopped
	}
	args = append(args, b.jvm...)
	return append(args, "-cp", b.dist.classPath(), "kafka.Kafka", b.config())
}

// wait returns once the broker accepts connections, which it does only when the controller lets it serve.
func (b *broker) wait() error {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		select {
		case <-b.proc.done:
			log := b.log()
			if bytes.Contains(log, []byte("Address already in use")) {
				return fmt.Errorf("broker %d: %w", b.id, errPortTaken)
			}
			return fmt.Errorf("broker %d ended:\n%s", b.id, tail(log))
		case <-deadline.C:
			return fmt.Errorf("broker %d did not listen within %v:\n%s", b.id, startTimeout, tail(b.log()))
		case <-poll.C:
			if c, err := net.DialTimeout("tcp", b.addr(), pollInterval); err == nil {
				return c.Close()
			}
		}
	}
}

func (b *broker) alive() bool { return b.proc != nil && b.proc.alive() }

func (b *broker) log() []byte {
	log, err := os.ReadFile(b.logFile())
	if err != nil {
		return []byte(err.Error())
	}
	return log
}

func tail(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}
