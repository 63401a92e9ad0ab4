package drill

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/drill/check"
	"sluice/gateway/kafkatest"
)

// binary is the sluice program, built once for all tests of this process.
var binary struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "drilltest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary.dir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func sluice(t *testing.T) string {
	t.Helper()
	path := filepath.Join(binary.dir, "sluice")
	binary.once.Do(func() {
		if out, err := exec.Command("go", "build", "-o", path, "sluice/cmd/sluice").CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return path
}

// compiled is where all tests keep compiled modules.
func compiled() string { return filepath.Join(binary.dir, "compiled") }

// fakeRound runs a round of a second with kfake in place of Kafka.
func fakeRound(t *testing.T, brokers *kfake.Cluster, faults ...string) *Round {
	t.Helper()
	obs, err := newObserver(brokers.ListenAddrs())
	if err != nil {
		t.Fatal(err)
	}
	defer obs.close()
	dir := t.TempDir()
	s := newStage(nil, obs, "fake")
	s.guarded = compiler()
	if s.gateway, err = newGateway(sluice(t), dir, compiled(), brokers.ListenAddrs(), s.settings()); err != nil {
		t.Fatal(err)
	}
	mix, err := mixed(strings.Join(faults, "+"))
	if err != nil {
		t.Fatal(err)
	}
	r := &round{stage: s, faults: mix, hold: time.Second, settle: 300 * time.Millisecond, rate: 200, dir: dir, prefix: "f", say: t.Logf}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	v, err := r.run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(v.line())
	if v.Outcomes[string(check.Stored)] < 50 || v.Outcomes[string(check.Accepted)] == 0 {
		t.Errorf("too little was stored for a verdict: %v", v.Answers)
	}
	mustKeepHistory(t, dir, v)
	return v
}

// mustKeepHistory looks whether the history can be judged again from its file.
func mustKeepHistory(t *testing.T, dir string, v *Round) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "history.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	entries, err := check.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, count := range v.Outcomes {
		n += count
	}
	if len(entries) != n {
		t.Errorf("the history has %d entries of %d", len(entries), n)
	}
}

func mustHold(t *testing.T, rounds ...*Round) {
	t.Helper()
	r := Report{Rounds: rounds}
	if err := r.Err(); err != nil {
		var text strings.Builder
		_ = r.Text(&text)
		t.Errorf("%v\n%s", err, text.String())
	}
}

func TestGatewayKilled(t *testing.T) {
	v := fakeRound(t, kafkatest.FakeCluster(t), "gateway-kill", "partitions-add")
	if v.Outcomes[string(check.Unknown)] == 0 && v.Outcomes[string(check.Refused)] == 0 {
		t.Error("nobody noticed that the gateway was killed")
	}
	mustHold(t, v)
}

func TestGatewayStoppedAndTopicRecreated(t *testing.T) {
	mustHold(t, fakeRound(t, kafkatest.FakeCluster(t), "topic-recreate", "gateway-term"))
}

// A broker that says "stored" and stores nothing is found out, through everything that lies between it and the checker.
func TestLyingBrokerIsFoundOut(t *testing.T) {
	cluster := kafkatest.FakeCluster(t)
	var produced atomic.Int64
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		n := produced.Add(1)
		if n%10 != 0 {
			return nil, nil, false
		}
		return pretend(req.(*kmsg.ProduceRequest), 1_000_000*n), nil, true
	})
	v := fakeRound(t, cluster, "none")
	if !slices.ContainsFunc(v.Findings, func(f check.Finding) bool { return f.Rule == "lost" }) {
		t.Errorf("%d findings, none of them a loss", v.Found)
	}
}

// pretend answers as if all was stored.
func pretend(req *kmsg.ProduceRequest, offset int64) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.BaseOffset = p.Partition, offset
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func TestTwoDrillsNeedTwoFolders(t *testing.T) {
	o := Options{Dir: t.TempDir(), Faults: []string{"none"}, Rounds: 1, Hold: time.Second, Rate: 1, Say: t.Logf}
	if err := os.Mkdir(filepath.Join(o.Dir, "kafka"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Drill(t.Context(), o); err == nil || !strings.Contains(err.Error(), "a folder of its own") {
		t.Errorf("a folder that is in use: %v", err)
	}
}

// The short form of `sluice drill`, about a minute.
func TestDrill(t *testing.T) {
	dist := kafkatest.Distribution(t)
	report, err := Drill(t.Context(), Options{
		Binary: sluice(t), Kafka: dist, Dir: t.TempDir(), Faults: []string{"unheard-kill", "spool-full", "all-stop+gateway-kill"},
		Rounds: 1, Hold: 3 * time.Second, Rate: 200, Keep: true, Compiled: compiled(), Say: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, report.Rounds...)
	late, full := 0, 0 // how long a fault lasts depends on the machine, so it is enough if one of them showed it
	for _, r := range report.Rounds {
		late += r.Answers["504 delivery_timeout"] + r.Answers["504 outcome_unknown"] + r.Answers["503 not_available"]
		full += r.Answers["503 spool_full"]
	}
	if late == 0 {
		t.Error("no record met delivery.timeout.ms: the drill proves less than it should")
	}
	if full == 0 {
		t.Error("no spool was full: the drill proves less than it should")
	}
}
