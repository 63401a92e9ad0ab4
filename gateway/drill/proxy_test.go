package drill

import (
	"bufio"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// upstream is a server behind a proxy that notes every line and answers it.
type upstream struct{ lines chan string }

func startUpstream(t *testing.T) (*proxy, *upstream) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{make(chan string, 100)}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go u.serve(c)
		}
	}()
	p, err := newProxy()
	if err != nil {
		t.Fatal(err)
	}
	p.forwardTo(ln.Addr().String())
	t.Cleanup(func() { p.close(); ln.Close() })
	return p, u
}

func (u *upstream) serve(c net.Conn) {
	defer func() { c.Close(); u.lines <- "the end" }()
	for lines := bufio.NewScanner(c); lines.Scan(); {
		u.lines <- lines.Text()
		if _, err := io.WriteString(c, "re: "+lines.Text()+"\n"); err != nil {
			return
		}
	}
}

func (u *upstream) mustGet(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-u.lines:
		if got != want {
			t.Fatalf("the server got %q, want %q", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the server does not get %q", want)
	}
}

func (u *upstream) mustNotGet(t *testing.T) {
	t.Helper()
	select {
	case got := <-u.lines:
		t.Fatalf("the server got %q", got)
	case <-time.After(50 * time.Millisecond):
	}
}

func connect(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func say(t *testing.T, c net.Conn, line string) {
	t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want)+1)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want+"\n" {
		t.Fatalf("heard %q, %v; want %q", got, err, want)
	}
}

func hearNothing(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
		t.Fatalf("heard %d bytes, %v", n, err)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestProxyPasses(t *testing.T) {
	p, u := startUpstream(t)
	c := connect(t, p)
	for _, w := range []weather{{}, {latency: 5 * time.Millisecond}, {rate: 5000}} {
		p.set(w)
		say(t, c, "hello")
		u.mustGet(t, "hello")
		hear(t, c, "re: hello")
	}
	c.Close()
	u.mustGet(t, "the end")
}

// Half open: the request arrives, its answer does not until the weather changes.
func TestProxyHoldsAnswers(t *testing.T) {
	p, u := startUpstream(t)
	c := connect(t, p)
	p.set(weather{holdDown: true})
	say(t, c, "hello")
	u.mustGet(t, "hello")
	hearNothing(t, c)
	p.set(weather{})
	hear(t, c, "re: hello")
}

// A request arrives even if who sent it has long given up.
func TestProxyDeliversLate(t *testing.T) {
	p, u := startUpstream(t)
	c := connect(t, p)
	say(t, c, "first")
	u.mustGet(t, "first")
	hear(t, c, "re: first") // what is not read turns a close into a reset
	p.set(weather{holdUp: true, holdDown: true})
	say(t, c, "second")
	c.Close()
	u.mustNotGet(t)
	p.set(weather{})
	u.mustGet(t, "second")
	u.mustGet(t, "the end")
}

func TestProxyResets(t *testing.T) {
	p, u := startUpstream(t)
	c := connect(t, p)
	say(t, c, "first")
	u.mustGet(t, "first")
	hear(t, c, "re: first")
	p.set(weather{holdUp: true})
	say(t, c, "lost")
	p.reset()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset reading gives %v", err)
	}
	p.set(weather{})
	again := connect(t, p)
	say(t, again, "hello")
	for line := ""; line != "hello"; { // the connection that was reset may be seen to end before, and must not deliver
		select {
		case line = <-u.lines:
			if line == "lost" {
				t.Fatal("what was reset arrives")
			}
		case <-time.After(30 * time.Second):
			t.Fatal("a new connection does not pass")
		}
	}
}

// A broker whose connection breaks is seen to break, not to close.
func TestProxyPassesResetsOn(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p, err := newProxy()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.forwardTo(ln.Addr().String())
	c := connect(t, p)
	broker, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(broker.(*net.TCPConn).SetLinger(0), broker.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset reading gives %v", err)
	}
}

func TestProxyTurnsAway(t *testing.T) {
	p, u := startUpstream(t)
	p.set(weather{shut: true})
	c := connect(t, p)
	say(t, c, "hello")
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a connection that is turned away ends with %v", err)
	}
	u.mustNotGet(t)
}
