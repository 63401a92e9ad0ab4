package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/deadletter"
)

// stock puts one letter of each kind into the dead-letter topic, and what is none.
func stock(r *dltRig) {
	ago := func(d time.Duration, rec *kgo.Record, partition int32) *kgo.Record {
		rec.Timestamp, rec.Partition = r.base.Add(-d), partition
		return r.put(rec)
	}
	ago(3*time.Hour, sluices(deadletter.Letter{ID: "r-1", Partition: -1, Offset: -1, Timestamp: 1700000000000, Module: "guard", Exception: "sluice.module.guard"}, []byte("k1"), []byte("{}")), 0)
	ago(3*time.Hour, &kgo.Record{Value: []byte("no letter")}, 0)
	ago(2*time.Hour, sluices(deadletter.Letter{
		ID: "r-2", Topic: "other", Partition: 1, Offset: -1, Timestamp: 1700000000001, Cause: "undelivered", Code: "delivery_timeout", Message: "no answer", Unknown: true,
	}, nil, nil), 1)
	ago(time.Hour, springs("k3", "a\x00b"), 2)
	var headers []kgo.RecordHeader
	for _, h := range deadletter.Mark("r-1", "orders-2@7") {
		headers = append(headers, kgo.RecordHeader(h))
	}
	ago(0, &kgo.Record{Headers: headers}, 0)
}

func TestDltListFilters(t *testing.T) {
	r := newDltRig(t)
	stock(r)
	const spring = "orders.DLT-2@0"
	for _, test := range []struct {
		args string
		want string
	}{
		{"", "r-1 r-2 " + spring},
		{"--pending", "r-2 " + spring},
		{"--cause interceptor", "r-1"},
		{"--code delivery_timeout", "r-2"},
		{"--code IllegalStateException", spring},
		{"--code java.lang.IllegalStateException", spring},
		{"--module guard", "r-1"},
		{"--outcome unknown", "r-2"},
		{"--key k3", spring},
		{"--key=", ""},
		{"--from-topic other", "r-2"},
		{"--id " + spring, spring},
		{"--since 90m", spring},
		{"--since " + r.base.Add(-2*time.Hour).UTC().Format(time.RFC3339Nano), "r-2 " + spring},
		{"--until 90m", "r-1 r-2"},
		{"--until " + r.base.Add(-time.Hour).UTC().Format(time.RFC3339Nano), "r-1 r-2"},
		{"--since 150m --until 90m", "r-2"},
		{"--since 0s", ""},
		{"--limit 2", "r-1 r-2"},
		{"--pending --limit 1", "r-2"},
		{"--cause broker", ""},
	} {
		if got := r.ids(strings.Fields(test.args)...); got != test.want {
			t.Errorf("list %s: %s, want %s", test.args, got, test.want)
		}
	}
	for _, name := range []string{"orders", "orders.DLT"} {
		if out := r.ok("list", name); !strings.Contains(out, "orders.DLT: 3 dead letters, 1 replayed") || strings.Contains(out, "no letter") || strings.Count(out, "\n") != 6 {
			t.Errorf("list %s:\n%s", name, out)
		}
	}
	if out := r.ok("list", "other", "orders", "--limit", "1"); !strings.Contains(out, "other: no dead letters") || !strings.Contains(out, "there are more than --limit 1") {
		t.Error(out)
	}
	if out := r.ok("list", "orders", "--brokers", r.cluster.ListenAddrs()[0]); !strings.Contains(out, "3 dead letters") {
		t.Error(out)
	}
}

// TestDltListOfNothing: why there is nothing is said, and in JSON mode not among the letters.
func TestDltListOfNothing(t *testing.T) {
	r := newDltRig(t)
	r.put(&kgo.Record{Topic: "other", Value: []byte("a record")})
	const itself = "topic \"other\" itself was read, as it has neither dead_letter.enable nor dead_letter.topic in the configuration\n"
	for args, want := range map[string]string{
		"orders":                   "orders.DLT: no dead letters\n",
		"orders.DLT":               "orders.DLT: no dead letters\n",
		"orders --limit 3":         "orders.DLT: no dead letters\n",
		"orders --pending":         "orders.DLT: no dead letters that were not replayed\n",
		"orders --cause broker":    "orders.DLT: no dead letters that are asked for\n",
		"other":                    "other: no dead letters, and 1 record of another kind\n" + itself,
		"other --pending --json":   "other: no dead letters that were not replayed, and 1 record of another kind\n" + itself,
		"orders --since 2h --json": "orders.DLT: no dead letters that are asked for\n",
	} {
		out, stderr, status := r.dlt(append([]string{"list"}, strings.Fields(args)...)...)
		got, rest := out, stderr
		if strings.Contains(args, "--json") {
			got, rest = stderr, out
		}
		if status != 0 || got != want || rest != "" {
			t.Errorf("list %s: %d %q %q, want %q", args, status, got, rest, want)
		}
	}
	r.write(r.settings("[topics.orders]\ndead_letter.topic = \"absent\"\n[topics.absent]\n"))
	if _, stderr, status := r.dlt("list", "orders"); status != exitFailed || !strings.Contains(stderr, `dead letters of topic "orders": the cluster has no topic "absent"`) {
		t.Errorf("without the topic: %d %s", status, stderr)
	}
}

func TestDltWrongUsage(t *testing.T) {
	r := newDltRig(t)
	for args, want := range map[string]string{
		"list":                              "see sluice dlt list --help",
		"list orders --since yesterday":     "--since \"yesterday\": it must be a time such as",
		"list orders --limit -1":            "--limit -1",
		"list orders --cause brocker":       "--cause \"brocker\": it must be one of interceptor, broker, schema, undelivered",
		"replay orders --outcome lost":      "--outcome \"lost\"",
		"show orders":                       "PARTITION@OFFSET or with --id",
		"show orders 1":                     "must be PARTITION@OFFSET",
		"replay orders --via mail":          "--via \"mail\"",
		"replay orders --timeout 0s":        "--timeout 0s",
		"replay orders --url ftp://x":       "--url",
		"replay orders --until 31.12.2026x": "--until",
	} {
		if _, stderr, status := r.dlt(strings.Fields(args)...); status != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("dlt %s: %d %s", args, status, stderr)
		}
	}
	for args, want := range map[string]string{
		"list nowhere":       `the cluster has no topic "nowhere"`,
		"show orders 2@9":    "orders.DLT has no dead letter at 2@9",
		"show orders 9@9":    "orders.DLT has no dead letter at 9@9",
		"show orders 0@0":    "orders.DLT has no dead letter at 0@0",
		"replay nowhere":     `the cluster has no topic "nowhere"`,
		"show orders --id x": `orders.DLT has no dead letter with the id "x"`,
	} {
		if _, stderr, status := r.dlt(strings.Fields(args)...); status != exitFailed || !strings.Contains(stderr, want) {
			t.Errorf("dlt %s: %d %s", args, status, stderr)
		}
	}
}

func TestDltShow(t *testing.T) {
	r := newDltRig(t)
	stock(r)
	out := r.ok("show", "orders", "0@0")
	for _, want := range []string{"r-1", "orders-2@7", "orders, no partition was chosen", "interceptor guard", "rejected", "no field /id", "k1 (2 bytes)", "\n{}\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
	out = r.ok("show", "orders", "--id", "orders.DLT-2@0")
	for _, want := range []string{"orders, partition 2, offset 41", "java.lang.IllegalStateException", "see below", "\tat Main.main(Main.java:7)", "61 00 62", "  h  2"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
	if out := r.ok("show", "orders", "1@0"); !strings.Contains(out, "may be in its topic too") || !strings.Contains(out, "value      null") {
		t.Error(out)
	}
	var l struct {
		Key, Value []byte
		Original   struct{ Partition, Offset *int64 }
		Replayed   *string
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(r.ok("show", "orders", "2@0", "--json"), "_base64", "")), &l); err != nil || string(l.Key) != "k3" || string(l.Value) != "a\x00b" ||
		l.Original.Partition == nil || *l.Original.Partition != 2 || *l.Original.Offset != 41 || l.Replayed != nil {
		t.Errorf("%v %+v", err, l)
	}
}

// TestDltOutputCannotSteerATerminal: keys, values and messages come from anyone.
func TestDltOutputCannotSteerATerminal(t *testing.T) {
	r := newDltRig(t)
	evil := "\x1b[31m\x07\u202e"
	r.put(sluices(deadletter.Letter{ID: evil, Topic: "t" + evil, Partition: -1, Code: "c" + evil, Cause: evil, Message: evil + "\r", Module: evil, Exception: evil}, []byte(evil), []byte(evil)))
	mark := deadletter.Mark(evil, evil)
	r.put(&kgo.Record{Headers: []kgo.RecordHeader{kgo.RecordHeader(mark[0]), kgo.RecordHeader(mark[1])}})
	for _, out := range []string{r.ok("list", "orders"), r.ok("show", "orders", "0@0"), r.ok("replay", "orders", "--dry-run")} {
		if strings.ContainsAny(out, evil[:1]+"\x07\r\u202e") {
			t.Errorf("%q", out)
		}
	}
}

// TestDltReplay: what comes out is what was sent, once, whichever way; a second run does nothing; marks are never letters.
func TestDltReplay(t *testing.T) {
	for _, via := range []string{"gateway", "kafka"} {
		t.Run(via, func(t *testing.T) {
			r := newDltRig(t)
			stock(r)
			r.put(sluices(deadletter.Letter{ID: "r-4", Partition: 1, Offset: -1, Timestamp: 1700000000004}, []byte("tomb"), nil))
			r.put(sluices(deadletter.Letter{ID: "r-5", Partition: 77, Offset: -1, Timestamp: 1700000000005}, []byte(""), []byte("")))
			r.put(sluices(deadletter.Letter{ID: "r-5", Partition: 77, Offset: -1, Timestamp: 1700000000005}, []byte(""), []byte("")))
			url, _ := r.serve(dltTables, "")
			before := r.ids()
			var begun atomic.Int64 // replays
			r.cluster.ControlKey(int16(kmsg.InitProducerID), func(q kmsg.Request) (kmsg.Response, error, bool) {
				r.cluster.KeepControl()
				if q.(*kmsg.InitProducerIDRequest).TransactionalID != nil {
					begun.Add(1)
				}
				return nil, nil, false
			})
			if out := r.ok("replay", "orders", "--via", via, "--url", url, "--dry-run"); !strings.Contains(out, "4 letters would be replayed") ||
				!strings.Contains(out, "2 were before") || !strings.Contains(out, "1 of them may be in their topic already") {
				t.Error(out)
			}
			if n := len(r.committed("orders")); n != 0 || r.ids("--pending") == "" || begun.Load() != 0 {
				t.Errorf("--dry-run sent %d records, began %d replays", n, begun.Load())
			}
			out := r.ok("replay", "orders", "--via", via, "--url", url)
			if !strings.Contains(out, "4  replayed\n") || !strings.Contains(out, "2  skipped") {
				t.Error(out)
			}
			got := make(map[string]*kgo.Record)
			for _, rec := range append(r.committed("orders"), r.committed("other")...) {
				if got[recordText(rec)] != nil {
					t.Errorf("%s is there twice", recordText(rec))
				}
				got[rec.Topic+" "+recordText(rec)] = rec
			}
			for want, at := range map[string]int64{
				`other null=null h:"1" null:null`:    1700000000001,
				`orders "k3"="a\x00b" h:"2"`:         1700000000000,
				`orders "tomb"=null h:"1" null:null`: 1700000000004,
				`orders ""="" h:"1" null:null`:       1700000000005,
			} {
				if rec := got[want]; rec == nil || rec.Timestamp.UnixMilli() != at {
					t.Errorf("%s is missing or has another time: %v", want, rec)
				}
			}
			if len(got) != 4 {
				t.Errorf("%d records: %v", len(got), got)
			}
			if r.ids() != before || r.ids("--pending") != "" {
				t.Errorf("letters %s, pending %s, before %s", r.ids(), r.ids("--pending"), before)
			}
			if rec := got[`orders "k3"="a\x00b" h:"2"`]; via == "kafka" && rec != nil && rec.Partition != 2 {
				t.Errorf("partition %d, want the one it was sent to", rec.Partition)
			}
			if out := r.ok("replay", "orders", "--via", via, "--url", url); !strings.Contains(out, "nothing to replay; 6 letters replayed before") {
				t.Error(out)
			}
			if n := len(r.committed("orders")); n != 3 {
				t.Errorf("%d records after the second run", n)
			}
		})
	}
}

// TestDltReplayFiltersAndDestination: only what is asked for, elsewhere, and with the partition kept or not.
func TestDltReplayFiltersAndDestination(t *testing.T) {
	for _, via := range []string{"gateway", "kafka"} {
		t.Run(via, func(t *testing.T) {
			r := newDltRig(t)
			for i := range 6 {
				rec := sluices(deadletter.Letter{ID: fmt.Sprint("r-", i), Partition: 0, Offset: -1, Timestamp: 1, Module: []string{"a", "b"}[i%2]}, []byte("key-2"), []byte(fmt.Sprint(i)))
				r.put(rec)
			}
			url, _ := r.serve(dltTables, "")
			replay := func(args ...string) {
				t.Helper()
				r.ok(append([]string{"replay", "orders", "--via", via, "--url", url}, args...)...)
			}
			replay("--module", "b", "--limit", "2", "--to", "other")
			replay("--id", "r-5", "--keep-partition")
			replay("--id", "r-4", "--keep-partition=false")
			replay("--limit", "1", "--keep-partition")
			var byKey int32 // where murmur2 puts the key
			for _, rec := range r.committed("orders") {
				if string(rec.Value) == "4" {
					byKey = rec.Partition
				}
			}
			if byKey == 0 {
				t.Fatal("the key of the test is one that partition 0 has anyway")
			}
			want := [3][]string{0: {"5", "0"}}
			want[byKey] = []string{"4"}
			if got := r.values("orders"); got != fmt.Sprint(want) {
				t.Errorf("orders has %s, want %v", got, want)
			}
			if got := len(r.committed("other")); got != 2 || r.ids("--pending") != "r-2" {
				t.Errorf("%d in other, pending %s", got, r.ids("--pending"))
			}
		})
	}
}

// TestDltReadsWhatIsCommitted: no letter of a transaction that was aborted, nor of one that is open; and neither keeps it from
// ending.
func TestDltReadsWhatIsCommitted(t *testing.T) {
	r := newDltRig(t)
	letter := func(id string) *kgo.Record {
		l := sluices(deadletter.Letter{ID: id, Partition: -1, Offset: -1, Timestamp: 1}, nil, nil)
		l.Topic = "orders.DLT"
		return l
	}
	in := func(transaction string, ids ...string) *kgo.Client {
		k, err := kgo.NewClient(kgo.SeedBrokers(r.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(transaction))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(k.Close)
		if err := k.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if err := k.ProduceSync(t.Context(), letter(id)).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		return k
	}
	end := func(k *kgo.Client, how kgo.TransactionEndTry) {
		t.Helper()
		if err := k.EndTransaction(t.Context(), how); err != nil {
			t.Fatal(err)
		}
	}
	end(in("a", "r-1"), kgo.TryCommit)
	aborted := in("b", "r-2")
	open := in("c", "r-3")
	end(aborted, kgo.TryAbort)
	r.put(letter("r-4"))
	// The last offset that may be read is that of r-2, and the end of its transaction is behind r-3.
	if got := r.ids(); got != "r-1" {
		t.Errorf("letters %s", got)
	}
	if out := r.ok("replay", "orders", "--via", "kafka"); !strings.Contains(out, "1  replayed") {
		t.Error(out)
	}
	end(open, kgo.TryCommit)
	if got := r.ids("--pending"); got != "r-3 r-4" {
		t.Errorf("letters %s", got)
	}
}
