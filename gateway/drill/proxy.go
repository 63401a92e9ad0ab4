package drill

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// weather is what a proxy does to the bytes of its connections. The zero value lets them pass.
type weather struct {
	latency  time.Duration // of every piece, each way
	rate     int           // bytes per second, each way and connection; 0 is no limit
	holdUp   bool          // what the gateway sends stays in the proxy until the weather changes
	holdDown bool          // what the broker sends does
	shut     bool          // new connections are closed in order after the first bytes, as by a load balancer without backends
}

// proxy stands between the gateway and one broker.
type proxy struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu      sync.Mutex
	target  string
	now     weather
	changed chan struct{} // closed when the weather changes
	links   map[*link]struct{}
	closed  bool
}

// newProxy listens on a free port of the loopback. It has no target yet.
func newProxy() (*proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: ln, changed: make(chan struct{}), links: make(map[*link]struct{})}
	p.wg.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) forwardTo(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *proxy) set(w weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = w
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *proxy) look() (weather, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.changed
}

// reset ends every connection with RST; what is under way is lost.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.reset()
	p.wg.Wait()
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(client net.Conn) {
	p.mu.Lock()
	target, shut := p.target, p.now.shut
	p.mu.Unlock()
	if shut {
		turnAway(client)
		return
	}
	broker, err := net.DialTimeout("tcp", target, 10*time.Second) //nolint:noctx // it has a timeout
	l := &link{client: client, broker: broker, cut: make(chan struct{})}
	if err != nil {
		l.broker = client // it is closed twice, which harms nobody
		l.reset()
		return
	}
	if !p.add(l) {
		l.reset()
		return
	}
	p.wg.Go(func() { l.pump(p, client, broker, func(w weather) bool { return w.holdDown }) })
	l.pump(p, broker, client, func(w weather) bool { return w.holdUp })
}

// turnAway reads before it closes: what is not read would turn the close into a reset.
func turnAway(client net.Conn) {
	_ = client.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = client.Read(make([]byte, 4<<10))
	_ = client.Close()
}

func (p *proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// link is one connection of the gateway and the one to the broker that goes with it.
type link struct {
	client, broker net.Conn
	once           sync.Once
	cut            chan struct{} // closed when both are

	mu    sync.Mutex
	ended int // directions that are through
}

func (l *link) reset() {
	l.once.Do(func() {
		for _, c := range []net.Conn{l.client, l.broker} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // RST in place of FIN
			}
			_ = c.Close()
		}
		close(l.cut)
	})
}

// pump carries one direction. What one side sent before it closed is delivered all the same, late if the weather says so:
// a broker may get a request that was given up long ago.
func (l *link) pump(p *proxy, dst, src net.Conn, held func(weather) bool) {
	buf := make([]byte, 16<<10)
	for {
		n, err := src.Read(buf)
		if !l.delay(p, n, held) {
			break
		}
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			l.passEnd(dst, err)
			break
		}
	}
	l.mu.Lock()
	l.ended++
	last := l.ended == 2
	l.mu.Unlock()
	if last {
		p.remove(l)
		l.once.Do(func() { _ = l.client.Close(); _ = l.broker.Close(); close(l.cut) })
	}
}

// passEnd ends one side as the other ended: clients tell a connection that was closed from one that broke.
func (l *link) passEnd(dst net.Conn, err error) {
	if tcp, ok := dst.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
		_ = tcp.CloseWrite()
		return
	}
	l.reset()
}

// delay waits as the weather asks for n bytes. It is false once the link is cut.
func (l *link) delay(p *proxy, n int, held func(weather) bool) bool {
	for {
		w, changed := p.look()
		if held(w) {
			select {
			case <-changed:
				continue
			case <-l.cut:
				return false
			}
		}
		d := w.latency
		if w.rate > 0 {
			d += time.Duration(n) * time.Second / time.Duration(w.rate)
		}
		if d == 0 || n == 0 {
			return true
		}
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return true
		case <-l.cut:
			return false
		}
	}
}
