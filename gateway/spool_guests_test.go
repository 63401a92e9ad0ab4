package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const steeredTwice = "interceptors = [{ module = \"steer\", config = { mark = \"a\" }, routes = [\"*\"] }, { module = \"steer\", config = { mark = \"b\" }, routes = [\"*\"] }]\n"

// TestOnAckIsToldOfSpooledRecords: not that they are in the spool, but what became of them; also of those that were routed into
// the spool of another topic. Cookies are lost.
func TestOnAckIsToldOfSpooledRecords(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	tables := spoolTable(dir, steeredTwice) + strings.Replace(spoolTable(dir, ""), "orders", "other", 1)
	cfg, _ := guestConfig(t, c, tables, steer(t))
	r := serveConfig(t, cfg)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queue("orders", line("stored", "v")+line("routed", "v", "a=route")+line("dropped", "v", "b=drop"), envelope).want(t, 202, "")
	eventually(t, "the routed record is stored", func() bool { return stored(c, "other") == 1 })
	eventually(t, "on_ack is told of it, and of the one that was dropped", func() bool { return r.sum("told", "") == 4 })
	outage.Remove()
	eventually(t, "the record is stored", func() bool { return stored(c, "orders") == 1 })
	eventually(t, "on_ack is told of all", func() bool { return r.sum("told", "") == 6 })
	want := []string{"a " + cookie("dropped") + " -1 orders", "a 0 0 orders", "a 0 0 other", "b " + cookie("dropped") + " -1 orders", "b 0 0 orders", "b 0 0 other"}
	slices.Sort(want)
	r.clean()
	if diff := gocmp.Diff(want, r.told()); diff != "" {
		t.Error("want and got:\n", diff)
	}
}

// TestSpoolKeepsWhatWasSent: a dead letter of a spooled record is the record before the interceptors, also after a restart.
func TestSpoolKeepsWhatWasSent(t *testing.T) {
	c := fake(t)
	tables := spoolTable(t.TempDir(), steeredTwice+"dead_letter.topic = \"other\"\n") + "[topics.other]\n"
	cfg, _ := guestConfig(t, c, tables, steer(t))
	r := serveConfig(t, cfg)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queue("orders", line("k", "v", "x=1"), envelope).want(t, 202, "")
	outage.Remove()
	_ = refuseProduce(c, "orders", kerr.InvalidRecord)
	r.stop()
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
	if stored(c, "other") == 0 { // it was not sent again before the end
		r = serveConfig(t, cfg)
	}
	l := read(t, c.ListenAddrs(), "other", 1)[0]
	if a := about(t, l); string(l.Value) != "v" || string(l.Key) != "k" || a.Topic != "orders" || a.Cause != "broker" || a.Code != "invalid_record" {
		t.Errorf("dead letter %q of %q: %+v", l.Value, l.Key, a)
	}
	r.stop()
}

// TestRefusedAtTheDoorOfTheSpool: what the way of a record refuses is refused at once, with the answer that it always has.
func TestRefusedAtTheDoorOfTheSpool(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, spoolTable(t.TempDir(), strings.ReplaceAll(steeredTwice, "config", "on_error = \"strict\", config")+"producer.max.request.size = 20000\n"), steer(t))
	r := serveConfig(t, cfg)
	r.queue("orders", line("k", "v", "a=fail"), envelope).want(t, 422, "rejected")
	r.queue("orders", line("k", strings.Repeat("x", 19_950)), envelope).want(t, 413, "record_too_large")
	a := r.queue("orders", line("k", "v")+line("k", "v", "b=fail"), envelope)
	if a.status != 207 || !strings.Contains(a.body, `"accepted":1`) {
		t.Errorf("answer %d %s", a.status, a.body)
	}
	eventually(t, "it is stored", func() bool { return stored(c, "orders") == 1 })
	r.queue("orders", lineTo("3", "k", "v"), envelope).want(t, 404, "unknown_partition")
	r.clean()
}

func TestIdempotencyKeyOfSpooledRequests(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), ""))
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	for n := range 3 {
		a := r.queue("orders", "v", "Idempotency-Key: once")
		if a.want(t, 202, ""); (a.header.Get("Idempotency-Replayed") == "true") != (n > 0) {
			t.Errorf("request %d: %v", n, a.header)
		}
	}
	outage.Remove()
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	if n := stored(c, "orders"); n != 1 {
		t.Errorf("%d records are stored", n)
	}
}

// TestTopicIsRecreatedDuringAnOutage: records that were under way to a topic that was deleted go to the new one.
func TestTopicIsRecreatedWhileItsSpoolWaits(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), ""))
	n := r.queueNumbered("orders", 2, 0, 5)
	read(t, c.ListenAddrs(), "orders", n)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queueNumbered("orders", 2, 5, 10)
	recreate(t, c, "orders", 3)
	outage.Remove()
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	next := map[string]int{}
	for _, rec := range read(t, c.ListenAddrs(), "orders", 10) {
		next[string(rec.Key)]++
	}
	if next["k0"] != 5 || next["k1"] != 5 {
		t.Errorf("%v", next)
	}
}

func TestSpoolFollowsReloads(t *testing.T) {
	c := fake(t)
	dir, second := t.TempDir(), t.TempDir()
	head := func(tables string) string {
		return fmt.Sprintf("shutdown.timeout.ms = 10000\n[kafka]\nbootstrap.servers = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n%s", c.ListenAddrs()[0], tables)
	}
	r := serveConfig(t, parse(t, head(spoolTable(dir, ""))))
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	sent := 0
	for i, tables := range []string{
		spoolTable(dir, "producer.linger.ms = 1\n"),        // other settings, the same spool
		spoolTable(dir, "spool.fsync = \"interval\"\n"),    // of the spool itself
		spoolTable(second, ""),                             // another folder: what is in the first comes first
		"[topics.orders]\n",                                // none
		spoolTable(dir, "partitioner = \"round-robin\"\n"), // the first again
		spoolTable(dir, "partitioner = \"murmur2\"\n"),     //
	} {
		sent += r.queueNumbered("orders", 3, 10*i, 10*i+10)
		if err := r.g.Reload(parse(t, head(tables))); err != nil {
			t.Fatal(err)
		}
	}
	outage.Remove()
	eventually(t, "the spools are empty", func() bool { return r.spooled("orders") == 0 && stored(c, "orders") == int64(sent) })
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, rec := range read(t, c.ListenAddrs(), "orders", sent) {
		if seen[string(rec.Key)+string(rec.Value)] {
			t.Errorf("%s %s is stored twice", rec.Key, rec.Value)
		}
		seen[string(rec.Key)+string(rec.Value)] = true
	}
}

// TestSpoolsOfGlobTopicsWakeUp: nobody sends to the topic after the restart.
func TestSpoolsOfGlobTopicsWakeUp(t *testing.T) {
	c := fake(t)
	table := strings.Replace(spoolTable(t.TempDir(), ""), "topics.orders", `topics."o*"`, 1)
	r := serve(t, c.ListenAddrs(), table)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queueNumbered("orders", 2, 0, 10)
	r.stop()
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.logs.String(), "records stay in the spool until the next start") {
		t.Error("the log does not say what stays in the spool")
	}
	outage.Remove()
	r = serve(t, c.ListenAddrs(), table)
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", 20), 2, 10, false)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

// TestSpoolOfATopicThatIsGone: its records stay on disk, and the log says so.
func TestSpoolOfATopicThatIsGone(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	r := serve(t, c.ListenAddrs(), spoolTable(dir, ""))
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queueNumbered("orders", 2, 0, 10)
	if err := r.g.Reload(parse(t, guestTables(c, "[topics.other]\n"))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.logs.String(), "records stay in the spool and are not sent") {
		t.Error("the log does not say that records are not sent")
	}
	outage.Remove()
	if err := r.g.Reload(parse(t, guestTables(c, spoolTable(dir, "")))); err != nil {
		if !strings.Contains(err.Error(), "just being closed") {
			t.Fatal(err)
		}
		eventually(t, "the topic can be used again", func() bool { return r.g.Reload(parse(t, guestTables(c, spoolTable(dir, "")))) == nil })
	}
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", 20), 2, 10, false)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

// recreate deletes a topic and makes it again.
func recreate(t testing.TB, c *kfake.Cluster, topic string, partitions int32) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	adm := kadm.NewClient(k)
	if _, err := adm.DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	if _, err := adm.CreateTopic(t.Context(), partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
}

// TestSpooledRecordWithoutPartitionBecomesADeadLetter: what is given up after some tries is not lost where there are dead letters.
func TestSpooledRecordWithoutPartitionBecomesADeadLetter(t *testing.T) {
	c := fake(t)
	table := spoolTable(t.TempDir(), "dead_letter.topic = \"other\"\n") + "[topics.other]\n"
	r := serve(t, c.ListenAddrs(), table)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queue("orders", `{"key":"a","value":"gone","partition":2}`+"\n"+`{"key":"b","value":"there","partition":0}`+"\n", envelope).want(t, 202, "")
	r.stop()
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
	recreate(t, c, "orders", 1)
	outage.Remove()
	r = serve(t, c.ListenAddrs(), table)
	l := read(t, c.ListenAddrs(), "other", 1)[0]
	if a := about(t, l); string(l.Value) != "gone" || a.Cause != "undelivered" || a.Code != "unknown_partition" || a.Unknown {
		t.Errorf("dead letter %s: %+v", l.Value, a)
	}
	if got := read(t, c.ListenAddrs(), "orders", 1)[0]; string(got.Value) != "there" {
		t.Errorf("stored: %s", got.Value)
	}
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	if q := r.g.spools.all()[0]; q.Stats.letters.Load() != 1 || q.Stats.refused.Load() != 0 {
		t.Errorf("%d dead letters, %d lost", q.Stats.letters.Load(), q.Stats.refused.Load())
	}
}

// TestSpoolThatCannotBeOpened: of a glob table, it is found with the first record; that its spool.dir cannot be used, at the start.
func TestSpoolThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.spool")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := fake(t)
	table := func(dir string) string {
		return fmt.Sprintf("[topics.\"o*\"]\nspool.dir = %q\nspool.max.bytes = 67108864\n", dir)
	}
	r := serve(t, c.ListenAddrs(), table(dir))
	r.queue("orders", "a").want(t, 503, "not_available")
	if !strings.Contains(r.logs.String(), "topics cannot be set up") {
		t.Error("the log does not say why")
	}
	_, err := tryServe(t, parse(t, head(t, c.ListenAddrs())+table(file)))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf(`[topics."o*"]: spool.dir = %q`, file)) {
		t.Errorf("spool.dir is a file: %v", err)
	}
}

// TestSpoolsOfTwoGateways: the second one is refused, whatever its topics are called; when the first has ended it may start.
func TestSpoolsOfTwoGateways(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	text := head(t, c.ListenAddrs()) + fmt.Sprintf("[topics.\"o*\"]\nspool.dir = %q\n[topics.\"p*\"]\nspool.dir = %q\n", dir, dir+"/.")
	first := serveConfig(t, parse(t, text))
	_, err := tryServe(t, parse(t, text))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("spool.dir = %q: locked by another process (process %d); a folder of spools belongs to one gateway", dir, os.Getpid())) {
		t.Fatalf("a second gateway: %v", err)
	}
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	third := serveConfig(t, parse(t, text))
	third.queue("orders", "a").want(t, 202, "")
	if err := third.end(); err != nil {
		t.Fatal(err)
	}
}
