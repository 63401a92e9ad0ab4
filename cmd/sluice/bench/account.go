package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used.
type usage struct {
	cpu  time.Duration // of all its threads, user and system
	rss  int64         // bytes; 0 when unknown
	peak int64         // the largest rss so far, bytes; 0 when unknown
	news int64         // allocations on the heap; 0 when unknown
}

// account tells what one process has used so far.
type account interface {
	usage() (usage, error)
	source() string
}

// scraped is the account of a process that is known only by its Prometheus metrics. The clock of these metrics ticks
// every 10 ms, and reading it is itself a request to the server, though not one of those that are counted.
type scraped struct {
	url    string
	client http.Client
}

func newScraped(url string) *scraped {
	return &scraped{url: url, client: http.Client{Timeout: 5 * time.Second}}
}

func (s *scraped) source() string { return s.url }

func (s *scraped) usage() (usage, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return usage{}, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return usage{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return usage{}, fmt.Errorf("%s answered %s", s.url, resp.Status)
	}
	return parseMetrics(bufio.NewScanner(resp.Body), s.url)
}

// parseMetrics finds the process metrics in Prometheus's text format.
func parseMetrics(lines *bufio.Scanner, from string) (usage, error) {
	var u usage
	found := false
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch name {
		case "process_cpu_seconds_total":
			u.cpu, found = time.Duration(v*float64(time.Second)), true
		case "process_resident_memory_bytes":
			u.rss = int64(v)
		case "go_memstats_mallocs_total":
			u.news = int64(v)
		}
	}
	if err := lines.Err(); err != nil {
		return usage{}, err
	}
	if !found {
		return usage{}, fmt.Errorf("%s has no process_cpu_seconds_total", from)
	}
	return u, nil
}
