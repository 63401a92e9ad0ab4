package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/gateway/guest"
	"sluice/wasmhost"
)

// Log is the log of a module's guests.
type Log struct {
	Module string          `json:"module"`
	Lines  []guest.LogLine `json:"lines"` // newest first
}

const (
	logLines    = 100     // that are shown if nobody says how many
	maxLogLines = 1 << 20 // that may be asked for; wasm.log.lines.max says how many there are
)

func (s *Server) logs(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if !s.modules.InUse(name) {
		if _, err := s.modules.Registry.Module(name); err != nil { // whatever name is asked for, no log is made for it
			return err
		}
	}
	follow := accepts(r, "text/event-stream")
	limit := logLines
	if follow {
		limit = 0
	}
	limit, err := queryInt(r, "limit", limit, 0, maxLogLines)
	if err != nil {
		return err
	}
	level := 0
	if text := r.URL.Query().Get("level"); text != "" {
		if level = slices.Index(guest.Levels(), text); level < 0 {
			return invalid("level: %q must be one of %s", text, strings.Join(guest.Levels(), ", "))
		}
	}
	f := follower{log: s.modules.LogOf(name), limit: limit, level: level}
	if follow {
		return s.follow(w, r, f)
	}
	answer(w, Log{Module: name, Lines: guest.ShownAll(f.kept())})
	return nil
}

// accepts says whether a client asks for a content type by its name.
func accepts(r *http.Request, contentType string) bool {
	for _, value := range r.Header.Values("Accept") {
		for one := range strings.SplitSeq(value, ",") {
			if name, _, _ := strings.Cut(one, ";"); strings.EqualFold(strings.TrimSpace(name), contentType) {
				return true
			}
		}
	}
	return false
}

// follower is who reads a log.
type follower struct {
	log   *wasmhost.Log
	limit int       // how many lines of those that are kept
	level int       // the lowest
	after time.Time // only lines after that, if not zero
}

// kept returns lines that are kept, newest first.
func (f *follower) kept() []wasmhost.Line {
	lines := slices.DeleteFunc(f.log.Lines(), func(l wasmhost.Line) bool {
		return l.Level < f.level || !l.Time.After(f.after)
	})
	return lines[:min(len(lines), f.limit)]
}

// follow sends the lines that are kept, the oldest first, and then each as it comes, until the client leaves or the server
// stops. A client that comes again gets what it missed, as far as it is kept.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, f follower) error {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // a connection that refuses a deadline is broken, and writing says so
	if last, err := time.Parse(time.RFC3339Nano, r.Header.Get("Last-Event-ID")); err == nil {
		f.after, f.limit = last, maxLogLines
	}
	next, end := f.log.Follow()
	defer end()
	kept := f.kept() // after Follow, so that none is missed; what both have is left out below

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	out := events{w: w, c: c}
	for _, l := range slices.Backward(kept) {
		out.line(l)
	}
	out.flush()
	beat := time.NewTicker(s.heartbeat)
	defer beat.Stop()
	for out.err == nil {
		select {
		case l := <-next:
			if l.Level >= f.level && !slices.Contains(kept, l) {
				out.line(l)
			}
			if len(next) == 0 {
				kept = nil // what comes now came after they were kept
				out.flush()
			}
		case <-beat.C:
			out.text(":\n\n")
			out.flush()
		case <-s.stop:
			out.text("event: end\ndata: {\"reason\":\"the gateway stops\"}\n\n")
			out.flush()
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
	return nil
}

// events writes server-sent events. After the first error it writes nothing.
type events struct {
	w   http.ResponseWriter
	c   *http.ResponseController
	err error
}

func (e *events) line(l wasmhost.Line) {
	shown := guest.Shown(l)
	data, err := json.Marshal(shown)
	if err != nil {
		e.err = err
		return
	}
	e.text(fmt.Sprintf("id: %s\nevent: line\ndata: %s\n\n", shown.Time.Format(time.RFC3339Nano), data))
}

func (e *events) text(s string) {
	if e.err != nil {
		return
	}
	if e.err = e.c.SetWriteDeadline(time.Now().Add(writeTimeout)); e.err == nil {
		_, e.err = e.w.Write([]byte(s))
	}
}

func (e *events) flush() {
	if e.err == nil {
		e.err = e.c.Flush()
	}
}
