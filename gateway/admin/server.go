package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// Time limits and sizes of a request. A scrape of a thousand topics takes well under a second; who reads it more slowly
// than writeTimeout is cut.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// Server is the admin plane.
type Server struct {
	gateway Gateway
	http    *http.Server
}

// New makes a server for listener addresses as in cfg.Listen. It serves nothing until Serve.
func New(cfg config.Admin, metrics http.Handler, g Gateway, log *slog.Logger) *Server {
	s := &Server{gateway: g}
	mux := http.NewServeMux()
	for path, h := range map[string]http.Handler{
		"/metrics":               metrics,
		"/healthz":               http.HandlerFunc(s.health),
		"/v1/topics":             http.HandlerFunc(s.topics),
		"/v1/topics/{t}":         http.HandlerFunc(s.topic),
		"/debug/pprof/{profile}": http.HandlerFunc(profile),
	} {
		mux.Handle("GET "+path, h) // and HEAD
		mux.HandleFunc(path, notAllowed)
	}
	mux.HandleFunc("/", notFound)
	s.http = &http.Server{
		Handler: guard(cfg.Listen, mux), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.With("listener", "admin").Handler(), slog.LevelWarn),
	}
	return s
}

// Serve answers on ln until Shutdown, and then returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// Shutdown lets requests finish until ctx ends, and cuts those that do not.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return err
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) { answer(w, s.gateway.Status()) }

// profile answers `go tool pprof`.
func profile(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("profile") == "profile" {
		pprof.Profile(w, r)
		return
	}
	pprof.Index(w, r)
}

func notAllowed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	problem(w, http.StatusMethodNotAllowed, record.Errorf(record.Invalid, "%s is not allowed here; GET, HEAD is", r.Method))
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	problem(w, http.StatusNotFound, record.Errorf(record.Invalid,
		"no such path; the admin plane has /metrics, /healthz, /v1/topics, /v1/topics/{topic} and /debug/pprof/{profile}"))
}
