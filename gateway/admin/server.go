package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/record"
)

// Time limits and sizes of a request. A scrape of a thousand topics takes well under a second; who reads it more slowly
// than writeTimeout is cut. Uploads and what follows a module's log have limits of their own.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 10 * time.Second
	writeTimeout    = 30 * time.Second
	downloadTimeout = 5 * time.Minute
	workTimeout     = 10 * time.Minute // for compiling, trying and binding, and for reading the answer
	idleTimeout     = 2 * time.Minute
	heartbeat       = 15 * time.Second // of a log that is followed
	maxHeaderBytes  = 16 << 10
)

// Server is the admin plane.
type Server struct {
	// Ready says why no records are accepted at the moment, or which are not; nil if that is not known.
	Ready func() (partly string, err error)

	gateway   Gateway
	modules   *guest.Modules
	http      *http.Server
	log       *slog.Logger
	patience  time.Duration // admin.read.timeout.ms
	binding   sync.Mutex    // one topic is bound at a time
	heartbeat time.Duration // see the constant
	stop      chan struct{} // closed by Shutdown: who follows a log is told to leave
}

// methods are what a path answers to.
type methods map[string]handler

// New makes a server for listener addresses as in cfg.Listen. It serves nothing until Serve.
func New(cfg config.Admin, metrics http.Handler, g Gateway, modules *guest.Modules, log *slog.Logger) *Server {
	s := &Server{gateway: g, modules: modules, log: log, patience: cfg.ReadTimeout, heartbeat: heartbeat, stop: make(chan struct{})}
	mux := http.NewServeMux()
	for path, all := range s.routes(metrics) {
		for method, h := range all {
			mux.Handle(method+" "+path, h) // GET is HEAD, too
		}
		mux.HandleFunc(path, notAllowed(all))
	}
	mux.HandleFunc("/", notFound)
	s.http = &http.Server{
		Handler: guard(cfg.Listen, sameOrigin(mux)), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.With("listener", "admin").Handler(), slog.LevelWarn),
	}
	s.http.RegisterOnShutdown(sync.OnceFunc(func() { close(s.stop) }))
	return s
}

func (s *Server) routes(metrics http.Handler) map[string]methods {
	const module, version = "/v1/modules/{name}", "/v1/modules/{name}/versions/{id}"
	return map[string]methods{
		"/metrics":                    {"GET": plain(metrics.ServeHTTP)},
		"/healthz":                    {"GET": plain(s.health)},
		"/readyz":                     {"GET": plain(s.ready)},
		"/debug/pprof/{profile}":      {"GET": plain(profile)},
		"/v1/topics":                  {"GET": plain(s.topics)},
		"/v1/topics/{t}":              {"GET": plain(s.topic)},
		"/v1/topics/{t}/partitioner":  {"PUT": s.bindPartitioner, "DELETE": s.unbind(guest.Partitioner)},
		"/v1/topics/{t}/interceptors": {"PUT": s.bindInterceptors, "DELETE": s.unbind(guest.Interceptor)},
		"/v1/modules":                 {"GET": s.listModules},
		module:                        {"GET": s.module, "PUT": s.upload, "DELETE": s.removeModule},
		module + "/active":            {"PUT": s.activate},
		module + "/candidate":         {"DELETE": s.cancel},
		module + "/promote":           {"POST": s.promote},
		module + "/rollback":          {"POST": s.rollback},
		module + "/logs":              {"GET": s.logs},
		version:                       {"GET": s.version, "DELETE": s.removeVersion},
		version + "/wasm":             {"GET": s.download},
		version + "/try":              {"POST": s.try},
	}
}

// Serve answers on ln until Shutdown, and then returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// Shutdown lets requests finish until ctx ends, and cuts those that do not. Who follows a log is sent away at once.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return err
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) { answer(w, s.gateway.Status()) }

// ready is GET /readyz, as on the data plane: records are accepted.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if s.gateway.Status().State == Draining {
		notReady(w, record.Errorf(record.Draining, "the gateway is shutting down"))
		return
	}
	body := map[string]string{"status": "ready"}
	if s.Ready != nil {
		partly, err := s.Ready()
		if err != nil {
			notReady(w, &record.Error{Code: record.NotAvailable, Message: err.Error(), Err: err})
			return
		}
		if partly != "" {
			body["detail"] = partly
		}
	}
	answer(w, body)
}

func notReady(w http.ResponseWriter, err *record.Error) {
	w.Header().Set("Retry-After", "1")
	problem(w, http.StatusServiceUnavailable, err)
}

// profile answers `go tool pprof`.
func profile(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("profile") == "profile" {
		pprof.Profile(w, r)
		return
	}
	pprof.Index(w, r)
}

// plain is a handler that cannot fail.
func plain(f http.HandlerFunc) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		f(w, r)
		return nil
	}
}

func notAllowed(all methods) http.HandlerFunc {
	names := slices.Sorted(maps.Keys(all))
	if i := slices.Index(names, "GET"); i >= 0 {
		names = slices.Insert(names, i+1, "HEAD")
	}
	allowed := strings.Join(names, ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		problem(w, http.StatusMethodNotAllowed, record.Errorf(record.Invalid, "%s is not allowed here; %s is", r.Method, allowed))
	}
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	problem(w, http.StatusNotFound, record.Errorf(record.Invalid,
		"no such path; the admin plane has /metrics, /healthz, /readyz, /v1/topics, /v1/modules and what is below them, and /debug/pprof/{profile}"))
}
