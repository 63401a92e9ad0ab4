package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/guest"
)

func TestLogs(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.json("PUT", "/v1/topics/orders/partitioner", `{"module":"c"}`).want(200) // which is not told of acknowledgements
	for _, do := range []string{"log:1:one", "log:4:two", "log:2:three"} {
		p.send("orders", "k", do)
	}
	texts := func(query string) string {
		var log admin.Log
		p.do("GET", "/v1/modules/c/logs"+query, http.NoBody).want(200).into(&log)
		all := make([]string, 0, len(log.Lines))
		for _, l := range log.Lines {
			all = append(all, l.Level+" "+l.Text)
		}
		return strings.Join(all, ", ")
	}
	for query, want := range map[string]string{
		"?limit=3": "info three, error two, debug one", "?level=warn": "error two", "?level=info&limit=2": "info three, error two", "?limit=0": "",
	} {
		if got := texts(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	p.do("GET", "/v1/modules/none/logs", http.NoBody).want(404, `"code":"module_not_found"`)
	p.do("GET", "/v1/modules/c/logs?limit=x", http.NoBody).want(400, "limit")
	p.do("GET", "/v1/modules/c/logs?level=loud", http.NoBody).want(400, "loud", "trace, debug, info, warn, error")
}

// stream follows the log of module c.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	leave context.CancelFunc
}

func (p *plane) follow(query string, headers ...string) *stream {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	p.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.g.AdminAddr()+"/v1/modules/c/logs"+query, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		p.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return &stream{t: p.t, lines: bufio.NewScanner(resp.Body), leave: cancel}
}

// next returns the next event, its id and its data; "" at the end.
func (s *stream) next() (event, id, data string) {
	s.t.Helper()
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "event":
			event = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			return event, id, data
		}
	}
	return "", "", ""
}

func (s *stream) want(text string) (id string) {
	s.t.Helper()
	event, id, data := s.next()
	var l guest.LogLine
	if err := json.Unmarshal([]byte(data), &l); err != nil || event != "line" || l.Text != text {
		s.t.Fatalf("event %q %s, want %q", event, data, text)
	}
	return id
}

func TestFollowLogs(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.json("PUT", "/v1/topics/orders/partitioner", `{"module":"c"}`).want(200) // which is not told of acknowledgements
	p.send("orders", "k", "log:2:one")
	p.send("orders", "k", "log:2:two")

	s := p.follow("?limit=2&level=info")
	s.want("one")
	id := s.want("two")
	p.send("orders", "k", "log:1:not this")
	p.send("orders", "k", "log:3:three")
	s.want("three")

	again := p.follow("?level=info", "Last-Event-ID: "+id) // what it missed
	again.want("three")
	fresh := p.follow("") // nothing of what was
	p.send("orders", "k", "log:0:four")
	fresh.want("four")
	fresh.leave()

	begun := time.Now()
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 9*time.Second {
		t.Errorf("who followed a log held the shutdown up for %v", took)
	}
	for _, f := range []*stream{s, again} {
		for {
			event, _, data := f.next() // close is logged, too, or not
			if event == "end" && strings.Contains(data, "the gateway stops") {
				break
			}
			if event != "line" {
				t.Fatalf("event %q %s instead of the end", event, data)
			}
		}
	}
}
