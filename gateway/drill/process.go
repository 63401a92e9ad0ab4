package drill

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sluice/gateway/localkafka"
)

const (
	gatewayStart = 3 * time.Minute // the first builds a module
	gatewayStop  = 90 * time.Second
	gatewayPoll  = 20 * time.Millisecond

	shutdownTimeout = time.Minute // shutdown.timeout.ms
)

// gateway is `sluice serve` as a child process, on the same address however often it is started.
type gateway struct {
	binary, dir string
	addr, admin string // of its two listeners

	mu   sync.Mutex
	proc *localkafka.Process // nil before the first start
}

// newGateway writes the configuration. settings follow the usual sections.
// Compiled is a folder for compiled modules, which
// many may share.
func newGateway(binary, dir, compiled string, bootstrap []string, settings string) (*gateway, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	ports, err := localkafka.FreePorts(2)
	if err != nil {
		return nil, err
	}
	g := &gateway{binary: binary, dir: dir, addr: fmt.Sprintf("127.0.0.1:%d", ports[0]), admin: fmt.Sprintf("127.0.0.1:%d", ports[1])}
	text := fmt.Sprintf("shutdown.timeout.ms = %d\n[log]\nlevel = \"debug\"\n[kafka]\nbootstrap.servers = %q\nmetadata.max.age.ms = 5000\n"+
		"[http]\nlisten = %q\n[admin]\nlisten = %q\n[wasm]\ncache.dir = %q\n%s",
		shutdownTimeout.Milliseconds(), strings.Join(bootstrap, ","), g.addr, g.admin, compiled, settings)
	return g, os.WriteFile(g.file("config.toml"), []byte(text), 0o600)
}

func (g *gateway) file(name string) string { return filepath.Join(g.dir, name) }

// start starts the process if it does not run, and returns when it answers.
func (g *gateway) start(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.proc.Alive() {
		return nil
	}
	log, err := os.OpenFile(g.file("gateway.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()                                                         // the child has its own
	cmd := exec.Command(g.binary, "serve", "--config", g.file("config.toml")) //nolint:noctx // it lives until it is killed
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, g.dir
	if g.proc, err = localkafka.StartProcess(cmd); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return g.await(ctx, "/healthz")
}

// limitFiles is [localkafka.Process.LimitFiles], if there is a process.
func (g *gateway) limitFiles(bytes int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.proc.Alive() {
		return nil
	}
	return g.proc.LimitFiles(bytes)
}

// ready waits until it serves records. That may never be, while brokers are down.
func (g *gateway) ready(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.await(ctx, "/readyz")
}

// await waits until it answers a probe with 200.
func (g *gateway) await(ctx context.Context, probe string) error {
	ctx, cancel := context.WithTimeout(ctx, gatewayStart)
	defer cancel()
	poll := time.NewTicker(gatewayPoll)
	defer poll.Stop()
	for {
		select {
		case <-g.proc.Done():
			return fmt.Errorf("the gateway ended: %w; its log:\n%s", errors.Join(errors.New("at its start"), g.proc.Wait()), g.tail())
		case <-ctx.Done():
			return fmt.Errorf("the gateway does not answer "+probe+" with 200: %w; its log:\n%s", ctx.Err(), g.tail())
		case <-poll.C:
			if g.answers(ctx, probe) {
				return nil
			}
		}
	}
}

func (g *gateway) answers(ctx context.Context, probe string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.addr+probe, nil)
	if err != nil {
		return false
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// kill ends the process at once. It may have ended.
func (g *gateway) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.proc.Alive() {
		g.proc.Kill()
	}
}

// term asks the process to drain and end. Its error is how it ended, nil for exit status 0.
func (g *gateway) term() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.proc.Alive() {
		return errors.New("the gateway had ended by itself")
	}
	if err := g.proc.Term(gatewayStop); err != nil {
		g.proc.Kill()
		return err
	}
	return g.proc.Wait()
}

func (g *gateway) tail() string {
	log, err := os.ReadFile(g.file("gateway.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
