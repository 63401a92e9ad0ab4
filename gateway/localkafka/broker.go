package localkafka

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

// Broker is one node, broker and controller at once, with its data in a folder.
type Broker struct {
	id                         int
	port, ctrlPort, clientPort int
	advertised                 string // of the listener for clients, "" without one
	dir                        string
	dist                       Distribution
	jvm                        []string
	proc                       *Process // nil before the first start
}

// ID is the broker's node.id.
func (b *Broker) ID() int { return b.id }

// Addr is the host:port on which the broker itself listens, also when clients are told to take another way.
func (b *Broker) Addr() string { return address(b.port) }

// ClientAddr is where what Options.Advertise names has to lead to.
func (b *Broker) ClientAddr() string { return address(b.clientPort) }

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (b *Broker) logFile() string { return filepath.Join(b.dir, "server.log") }
func (b *Broker) config() string  { return filepath.Join(b.dir, "server.properties") }

// format writes the configuration and prepares the data folder.
func (b *Broker) format(clusterID, properties string) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	for path, content := range map[string]string{b.config(): properties, filepath.Join(b.dir, "log4j2.properties"): log4j} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	cmd := exec.Command(b.dist.Java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", b.dist.ClassPath(), //nolint:noctx // it ends by itself
		"kafka.tools.StorageTool", "format", "-t", clusterID, "-c", b.config())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format broker %d: %w\n%s", b.id, err, out)
	}
	return nil
}

// launch starts the process; wait says when it serves.
func (b *Broker) launch() error {
	log, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()                             // the child has its own
	cmd := exec.Command(b.dist.Java, b.args()...) //nolint:noctx // it lives until it is killed
	cmd.Stdout, cmd.Stderr = log, log
	if b.proc, err = StartProcess(cmd); err != nil {
		return fmt.Errorf("broker %d: %w", b.id, err)
	}
	return os.WriteFile(filepath.Join(b.dir, "pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644)
}

// args is the command line. The first compiler alone starts a broker with a third less CPU time.
func (b *Broker) args() []string {
	args := []string{
		"-Xms256m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.configurationFile=" + filepath.Join(b.dir, "log4j2.properties"),
		"-Dlog4j2.shutdownHookEnabled=false", // log4j would fall silent before the broker has stopped
	}
	args = append(args, b.jvm...)
	return append(args, "-cp", b.dist.ClassPath(), "kafka.Kafka", b.config())
}

// wait returns once the broker accepts connections, which it does only when the controller lets it serve.
func (b *Broker) wait() error {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		select {
		case <-b.proc.Done():
			log := b.Log()
			if bytes.Contains(log, []byte("Address already in use")) {
				return fmt.Errorf("broker %d: %w", b.id, errPortTaken)
			}
			return fmt.Errorf("broker %d ended:\n%s", b.id, b.Tail())
		case <-deadline.C:
			return fmt.Errorf("broker %d did not listen within %v:\n%s", b.id, startTimeout, b.Tail())
		case <-poll.C:
			if c, err := net.DialTimeout("tcp", b.Addr(), pollInterval); err == nil { //nolint:noctx // it has a timeout
				return c.Close()
			}
		}
	}
}

// Alive says whether the broker's process runs, or is paused.
func (b *Broker) Alive() bool { return b.proc.Alive() }

// Pause stops the broker where it stands (SIGSTOP): its connections stay open and nothing answers.
func (b *Broker) Pause() error { return b.proc.Pause() }

// Resume lets a paused broker go on.
func (b *Broker) Resume() error { return b.proc.Resume() }

// Kill ends the broker at once (SIGKILL).
func (b *Broker) Kill() { b.proc.Kill() }

// Term ends the broker in order (SIGTERM): it hands its leaderships over first.
func (b *Broker) Term() error {
	if err := b.proc.Term(stopTimeout); err != nil {
		return fmt.Errorf("broker %d: %w\n%s", b.id, err, b.Tail())
	}
	return nil
}

// Log is everything the broker has written to its log.
func (b *Broker) Log() []byte {
	log, err := os.ReadFile(b.logFile())
	if err != nil {
		return []byte(err.Error())
	}
	return log
}

// Tail is the last lines of the broker's log.
func (b *Broker) Tail() string {
	lines := strings.Split(strings.TrimSpace(string(b.Log())), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}
