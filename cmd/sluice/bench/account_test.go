package bench

import (
	"bufio"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("processes are accounted on Linux only")
	}
}

func TestProcessCPUMovesWithWork(t *testing.T) {
	onLinux(t)
	p := process(os.Getpid())
	before, err := p.usage()
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
		bucketOf(uint64(time.Since(began)))
	}
	after, err := p.usage()
	if err != nil {
		t.Fatal(err)
	}
	if used := after.cpu - before.cpu; used <= 0 || used > time.Minute {
		t.Errorf("CPU used by a busy loop: %v", used)
	}
	if after.rss < 1<<20 || after.peak < after.rss {
		t.Errorf("RSS %d, peak %d", after.rss, after.peak)
	}
}

func TestProcessThatIsGone(t *testing.T) {
	onLinux(t)
	c := start(t, "bench", "__nothing")
	if _, err := c.account().usage(); err != nil {
		t.Error(err)
	}
	c.stop()
	if _, err := c.account().usage(); err == nil {
		t.Error("a process that has ended is still accounted")
	}
}

func TestMetricsAreRead(t *testing.T) {
	f := func(text string, want usage, fails string) {
		t.Helper()
		got, err := parseMetrics(bufio.NewScanner(strings.NewReader(text)), "here")
		if (err == nil) != (fails == "") || err != nil && !strings.Contains(err.Error(), fails) || got != want {
			t.Errorf("%q: %+v, %v; want %+v, error %q", text, got, err, want, fails)
		}
	}
	f("# HELP process_cpu_seconds_total x\n# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.25\n"+
		"process_resident_memory_bytes 2.097152e+06\ngo_memstats_mallocs_total 1.5e+03\nother{a=\"b c\"} 1\n",
		usage{cpu: 1250 * time.Millisecond, rss: 2 << 20, news: 1500}, "")
	f("process_resident_memory_bytes 5\n", usage{}, "here has no process_cpu_seconds_total")
	f("process_cpu_seconds_total much\n", usage{}, "has no process_cpu")
	f("", usage{}, "has no process_cpu")
}

func TestMetricsAreAskedFor(t *testing.T) {
	s := serve(t, func(ctx *fasthttp.RequestCtx, _ int64) {
		if string(ctx.Path()) != "/metrics" {
			ctx.SetStatusCode(404)
			return
		}
		ctx.SetBodyString("process_cpu_seconds_total 3\n")
	})
	if u, err := newScraped(s.base.String() + "/metrics").usage(); err != nil || u.cpu != 3*time.Second {
		t.Errorf("usage = %+v, %v; want 3 s", u, err)
	}
	if _, err := newScraped(s.base.String() + "/other").usage(); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("another page: %v, want a 404", err)
	}
}
