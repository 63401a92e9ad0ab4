// Package embedded is a schema registry in this process, for trying out: franz-go's fake one behind a listener, with its
// requests kept in a file, so that the ids in records that were written before a restart still mean something.
package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/sr/srfake"

	"sluice/gateway/dirlock"
)

// journalName is the file in embedded.data.dir with what changed the registry.
const journalName = "schemas.jsonl"

// maxRequest is what the fake registry takes.
const maxRequest = 1 << 20

// Registry is a running registry.
type Registry struct {
	handler http.Handler
	server  *http.Server
	addr    string
	served  sync.WaitGroup
	lock    *dirlock.Lock // nil when nothing is kept

	mu      sync.Mutex
	journal *os.File // nil when nothing is kept
	known   map[string]bool
	close   sync.Once
}

// change is a request that changed the registry.
type change struct {
	Method string          `json:"method"`
	Path   string          `json:"path"` // with the query
	Body   json.RawMessage `json:"body,omitempty"`
}

// Start listens on addr and loads what dir holds; "" keeps nothing. Errors name the setting to change.
func Start(addr, dir string, log *slog.Logger) (*Registry, error) {
	r := &Registry{handler: srfake.NewRegistry().Handler(), known: make(map[string]bool)}
	if err := r.load(dir, log); err != nil {
		return nil, errors.Join(err, r.release())
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		hint := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			hint = ": set it to a free port, or schema.registry.url to the registry that listens there"
		}
		return nil, errors.Join(fmt.Errorf("schema.embedded.listen = %q: %w%s", addr, err, hint), r.release())
	}
	r.addr = ln.Addr().String()
	r.server = &http.Server{Handler: r, ReadTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	r.served.Go(func() { _ = r.server.Serve(ln) }) // it ends with Close
	return r, nil
}

// URL is where clients find it.
func (r *Registry) URL() string { return "http://" + r.addr }

// Close ends it. The second call does nothing.
func (r *Registry) Close() (err error) {
	r.close.Do(func() {
		_ = r.server.Close() // the listener is gone either way
		r.served.Wait()
		err = r.release()
	})
	return err
}

func (r *Registry) release() error {
	var err error
	if r.journal != nil {
		err = r.journal.Close()
	}
	return errors.Join(err, r.lock.Release())
}

func (r *Registry) load(dir string, log *slog.Logger) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("embedded.data.dir: %w", err)
	}
	lock, err := dirlock.Take(filepath.Join(dir, "schemas.lock"), 0o644)
	if err != nil {
		return fmt.Errorf("embedded.data.dir: the schemas in %s: %w", dir, err)
	}
	r.lock = lock
	if err := lock.Sign(); err != nil {
		return fmt.Errorf("embedded.data.dir: %w", err)
	}
	path := filepath.Join(dir, journalName)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("embedded.data.dir: %w", err)
	}
	whole := bytes.LastIndexByte(old, '\n') + 1 // what follows was cut off when the process ended
	if err := r.replay(old[:whole]); err != nil {
		return fmt.Errorf("embedded.data.dir: cannot load the schemas in %s: %w; move the file away to start empty", path, err)
	}
	if whole < len(old) {
		log.Warn("the last line of a file is not whole and was left out", "file", path)
	}
	if r.journal, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		return fmt.Errorf("embedded.data.dir: %w", err)
	}
	if err := r.journal.Truncate(int64(whole)); err != nil {
		return fmt.Errorf("embedded.data.dir: %w", err)
	}
	_, err = r.journal.Seek(0, io.SeekEnd)
	return err
}

// replay does again what was done before. The ids are the same, because they are given in order.
func (r *Registry) replay(journal []byte) error {
	for line := range bytes.Lines(journal) {
		var c change
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		req, err := http.NewRequest(c.Method, c.Path, bytes.NewReader(c.Body)) //nolint:noctx // it never leaves the process
		if err != nil {
			return err
		}
		var a answer
		r.handler.ServeHTTP(&a, req)
		if a.status >= 300 {
			return fmt.Errorf("%s %s: %s", c.Method, c.Path, a.body.String())
		}
		r.remember(c.Method, line)
	}
	return nil
}

// remember notes what need not be written again. What is removed may be put there again.
func (r *Registry) remember(method string, line []byte) {
	if method == http.MethodDelete {
		clear(r.known)
		return
	}
	r.known[string(line)] = true
}

// ServeHTTP implements [http.Handler]. A change is in the file before it is answered.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet || r.journal == nil {
		r.handler.ServeHTTP(w, req)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRequest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	path := req.URL.RequestURI()
	r.mu.Lock() // the order in the file is that of the ids
	defer r.mu.Unlock()
	var a answer
	r.handler.ServeHTTP(&a, req)
	if a.status < 300 {
		if err := r.write(change{Method: req.Method, Path: path, Body: body}); err != nil {
			http.Error(w, "the change is in memory only: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	maps.Copy(w.Header(), a.Header())
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the client may be gone
}

func (r *Registry) write(c change) error {
	if len(c.Body) == 0 {
		c.Body = nil
	}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if r.known[string(line)] {
		return nil
	}
	if _, err := r.journal.Write(line); err != nil {
		return err
	}
	r.remember(c.Method, line)
	return nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = make(http.Header)
	}
	return a.header
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
