//go:build linux

package realtest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

const (
	idleConnections = 10_000
	fewestIdle      = 2000
	spareFiles      = 500      // for everything else
	idleBound       = 24 << 10 // bytes per connection
)

// idleCount is how many connections the limit of open files allows.
func idleCount(t *testing.T) int {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	n := min(idleConnections, int(min(l.Max, 1<<30))-spareFiles) // Go raises the limit to its maximum by itself
	if n < fewestIdle {
		kafkatest.Missing(t, "the limit of open files (ulimit -Hn) is %d, too few for %d connections", l.Max, fewestIdle)
	}
	return n
}

func TestTenThousandIdleConnections(t *testing.T) {
	n := idleCount(t)
	c := kafkatest.Shared(t, 3)
	c.CreateTopic("idle", 3, 3, nil)
	limits := fmt.Sprintf("max.connections = %d\nread.timeout.ms = 300000\nidle.timeout.ms = 300000\n", n+100)
	gw := startChild(t, settings(t, c, "", limits+"[topics.idle]\n"))
	conns := make([]net.Conn, n)
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	}()
	warm := make([]net.Conn, 32) // so that what the first requests cost is not divided among all
	each(t, warm, func(conn *net.Conn) error { return open(conn, gw.addr) })
	each(t, warm, func(conn *net.Conn) error { return ask(*conn) })
	start := time.Now()
	alone := gw.cpuPerRequest(warm)
	before := gw.settled()
	each(t, conns, func(conn *net.Conn) error { return open(conn, gw.addr) })
	silent := gw.settled()
	each(t, conns, func(conn *net.Conn) error { return ask(*conn) })
	asked := gw.settled()
	each(t, conns[:min(n, 200)], func(conn *net.Conn) error { return ask(*conn) }) // they are still open
	crowded := gw.cpuPerRequest(warm)
	for _, conn := range warm {
		conn.Close()
	}
	perSilent, perAsked := (silent-before)/int64(n), (asked-before)/int64(n)
	t.Logf("%d idle connections: %d bytes each before their first request, %d after it; %.1f MiB without them, %.1f with; %v",
		n, perSilent, perAsked, mibs(before), mibs(asked), time.Since(start).Round(time.Millisecond))
	t.Logf("CPU per request on %d other connections: %v without the idle ones, %v with them", len(warm), alone, crowded)
	if perAsked > idleBound {
		t.Errorf("an idle connection costs %d bytes, more than %d", perAsked, idleBound)
	}
	if crowded > 4*alone {
		t.Errorf("idle connections make a request %.0f times as expensive", float64(crowded)/float64(alone))
	}
}

// each calls f for every connection, some at a time.
func each(t *testing.T, conns []net.Conn, f func(*net.Conn) error) {
	t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(conns)); i = next.Add(1) - 1 {
				if err := f(&conns[i]); err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func open(conn *net.Conn, addr string) (err error) {
	*conn, err = net.DialTimeout("tcp", addr, 10*time.Second)
	return err
}

// ask stores a record.
func ask(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "POST /v1/topics/idle/records HTTP/1.1\r\nHost: idle\r\nContent-Length: 4\r\n\r\nidle"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 1<<10), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d, %w", resp.StatusCode, err)
	}
	return nil
}

// cpuPerRequest is what some thousands of requests over the connections take of the gateway's CPU time, each.
func (p *child) cpuPerRequest(conns []net.Conn) time.Duration {
	p.t.Helper()
	const rounds = 200
	before := p.cpu()
	each(p.t, conns, func(conn *net.Conn) error {
		for range rounds {
			if err := ask(*conn); err != nil {
				return err
			}
		}
		return nil
	})
	return (p.cpu() - before) / time.Duration(rounds*len(conns))
}

// cpu is the CPU time of the process, which the system counts in hundredths of a second.
func (p *child) cpu() time.Duration {
	p.t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int
	for _, f := range fields[11:13] { // utime and stime, proc_pid_stat(5)
		n, err := strconv.Atoi(f)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// settled is the resident memory once it has stopped changing by more than 1 % within a second, or after ten.
func (p *child) settled() int64 {
	p.t.Helper()
	now, _ := p.memory()
	for range 10 {
		before := now
		select {
		case <-time.After(time.Second):
		case <-p.done:
			p.t.Fatal("the gateway has ended")
		}
		if now, _ = p.memory(); max(now-before, before-now)*100 < before {
			break
		}
	}
	return now
}
