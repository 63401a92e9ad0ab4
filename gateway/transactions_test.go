package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// oneClient is transactions of a pool of one, so that each has the client of the one before.
const oneClient = "\n[transactions]\ntransactional.id.prefix = \"t\"\ntransactional.id.pool.size = 1\n"

// outcome is an answer to a transaction.
type outcome struct {
	status  int
	header  http.Header
	body    string
	Code    string
	Detail  string
	Index   *int
	Records []struct {
		Topic     string
		Partition int32
		Offset    int64
		Dropped   bool
	}
	Committed, Retryable bool
}

func (r *rig) transaction(query, body string, headers ...string) outcome {
	r.t.Helper()
	o, err := r.tryTransaction(query, body, headers...)
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

func (r *rig) tryTransaction(query, body string, headers ...string) (outcome, error) {
	a, err := post(httpClient, "http://"+r.g.HTTPAddr()+"/v1/transactions"+query, body, append([]string{envelope}, headers...)...)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{status: a.status, header: a.header, body: a.body}
	return o, json.Unmarshal([]byte(a.body), &o)
}

func (o outcome) want(t testing.TB, status int, code string) outcome {
	t.Helper()
	if o.status != status || o.Code != code {
		t.Fatalf("answer %d %s, want %d %q", o.status, o.body, status, code)
	}
	return o
}

// to is a line of a transaction.
func to(topic, value string, more ...string) string {
	return fmt.Sprintf("{\"topic\":%q,\"value\":%q%s}\n", topic, value, strings.Join(append([]string{""}, more...), ","))
}

// committed is the values that readers of committed records see in a topic, from the beginning to the record after them: it is
// written by the test, so that nothing can be missing behind it.
func committed(t testing.TB, brokers []string, topic string) []string {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	const partitions = 3
	for p := range int32(partitions) {
		if err := k.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: p, Key: []byte("end"), Value: []byte("end")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	var values []string
	ends := make(map[int32]int64)
	for len(ends) < partitions {
		f := k.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("topic %s: the end is not seen: a transaction is still open; read %v", topic, values)
		}
		f.EachRecord(func(r *kgo.Record) {
			if string(r.Key) == "end" {
				ends[r.Partition] = r.Offset
			} else {
				values = append(values, string(r.Value))
			}
		})
	}
	slices.Sort(values)
	return values
}

func wantCommitted(t testing.TB, c *kfake.Cluster, topic string, want ...string) {
	t.Helper()
	if got := committed(t, c.ListenAddrs(), topic); !slices.Equal(got, want) {
		t.Errorf("readers of committed records see %q in %s, want %q", got, topic, want)
	}
}

func TestTransactionStoresAll(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.\"*\"]"+oneClient)
	o := r.transaction("?topic=orders", "{\"value\":\"a\",\"partition\":1}\n"+to("other", "b", `"partition":2`, `"headers":{"h":"1"}`)+
		to("orders", "c", `"partition":1`)+to("other", "d", `"key":"k"`), "X-Kafka-Header-common: x").want(t, 200, "")
	if len(o.Records) != 4 || !o.Committed {
		t.Fatal(o.body)
	}
	for i, want := range []struct{ topic, value string }{{"orders", "a"}, {"other", "b"}, {"orders", "c"}, {"other", "d"}} {
		at := o.Records[i]
		if at.Topic != want.topic {
			t.Errorf("record %d went to %s: %s", i, at.Topic, o.body)
		}
		if !slices.ContainsFunc(read(t, c.ListenAddrs(), at.Topic, 2), func(rec *kgo.Record) bool {
			return rec.Partition == at.Partition && rec.Offset == at.Offset && string(rec.Value) == want.value
		}) {
			t.Errorf("record %d is not at %+v", i, at)
		}
	}
	if o.Records[0].Offset+1 != o.Records[2].Offset {
		t.Errorf("the order is another: %s", o.body)
	}
	for range 3 { // the client goes on
		r.transaction("", to("orders", "e")+to("other", "f")).want(t, 200, "")
	}
	if o := r.transaction("?results=errors", to("orders", "g")).want(t, 200, ""); o.body != `{"committed":true,"stored":1,"failed":0,"errors":[]}` {
		t.Error(o.body)
	}
	wantCommitted(t, c, "orders", "a", "c", "e", "e", "e", "g")
	wantCommitted(t, c, "other", "b", "d", "f", "f", "f")
	metrics := scrapeText(t, r)
	for _, line := range []string{
		`sluice_transactions_total{result="committed"} 5`, `sluice_transaction_clients{state="busy"} 0`,
		`sluice_transaction_clients{state="free"} 1`, `sluice_transactions_waiting 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the metrics do not say %s", line)
		}
	}
	r.ended()
}

// Of a transaction that is refused nothing is seen, and the next one on the same client is as good as the first.
func TestTransactionIsRefusedAsAWhole(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\n[topics.other]\nproducer.max.request.size = 2000\n[topics.missing]\n[topics.\"*\"]\n"+
		oneClient+"transaction.max.records = 4\ntransaction.max.bytes = 200000\n")
	good := to("orders", "never") + to("other", "never")
	once := func(key kmsg.Key, err *kerr.Error) func() {
		return func() { c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: 1}) }
	}
	for _, test := range []struct {
		name, body string
		before     func()
		status     int
		code       string
		index      int
		says       string
	}{
		{"not JSON", good + "x\n", nil, 400, "invalid_request", 2, "line 3"},
		{"no value", good + `{"topic":"orders"}` + "\n", nil, 400, "invalid_request", 2, "line 3"},
		{"no topic", good + `{"value":1}` + "\n", nil, 400, "invalid_request", 2, `"topic" is missing`},
		{"unknown member", good + to("orders", "v", `"x":1`), nil, 400, "invalid_request", 2, `unknown member "x"`},
		{"topic twice", good + to("orders", "v", `"topic":"other"`), nil, 400, "invalid_request", 2, "twice"},
		{"empty", "\n", nil, 400, "invalid_request", -1, "no records"},
		{"topic name", good + to("no topic", "v"), nil, 400, "invalid_request", 2, "topic name"},
		{"topic is not there", good + to("missing", "v"), nil, 404, "unknown_topic", 2, "line 3"},
		{"partition", good + to("orders", "v", `"partition":9`) + to("orders", "w"), nil, 404, "unknown_partition", 2, "line 3"},
		{"too large", good + to("other", strings.Repeat("x", 3000)), nil, 413, "record_too_large", 2, "max.request.size = 2000"},
		{"too many", good + good + to("orders", "v"), nil, 413, "too_many_records", -1, "transaction.max.records = 4"},
		{"too much", good + to("orders", strings.Repeat("x", 300_000)), nil, 413, "body_too_large", -1, "transaction.max.bytes = 200000"},
		{"broker refuses", good, once(kmsg.Produce, kerr.InvalidRecord), 422, "invalid_record", 0, "line 1"},
		{"broker finds it too large", good, once(kmsg.Produce, kerr.MessageTooLarge), 413, "record_too_large", 0, "line 1"},
		{"not allowed", good, once(kmsg.Produce, kerr.TopicAuthorizationFailed), 403, "topic_authorization_failed", 0, "line 1"},
		{"broker fails", good, once(kmsg.Produce, kerr.UnknownServerError), 502, "broker_error", -1, ""},
		{"broker aborts", good, once(kmsg.Produce, kerr.TransactionAbortable), 503, "transaction_aborted", -1, ""},
		{"commit refused", good, once(kmsg.EndTxn, kerr.TransactionAbortable), 503, "transaction_aborted", -1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.before != nil {
				test.before()
			}
			o := r.transaction("", test.body).want(t, test.status, test.code)
			if !strings.Contains(o.Detail, "nothing of the transaction was stored") || !strings.Contains(o.Detail, test.says) {
				t.Errorf("it says %q", o.Detail)
			}
			if test.index < 0 != (o.Index == nil) || o.Index != nil && *o.Index != test.index {
				t.Errorf("index: %s", o.body)
			}
			if o.Retryable != (test.status == 503) || o.Retryable != (o.header.Get("Retry-After") != "") {
				t.Errorf("retryable: %s %v", o.body, o.header)
			}
			r.transaction("", to("orders", test.name)).want(t, 200, "")
		})
	}
	var names []string
	for _, v := range committed(t, c.ListenAddrs(), "orders") {
		if v == "never" {
			t.Error("a part of a refused transaction is seen")
		}
		names = append(names, v)
	}
	if len(names) != 18 {
		t.Errorf("committed: %q", names)
	}
	wantCommitted(t, c, "other")
	r.ended()
}

// The first records of a topic that a client sends are answered before kgo lists its partitions, now and then, and then it aborts
// and calls that a success.
func TestFirstTransactionOfEachClientIsCommitted(t *testing.T) {
	c := fake(t)
	const clients = 200
	r := serve(t, c.ListenAddrs(), fmt.Sprintf("[topics.orders]\n[transactions]\ntransactional.id.prefix = \"t\"\ntransactional.id.pool.size = %d\n", clients))
	eventually(t, "all clients are free", func() bool { free, of := r.g.transactions.Free(); return free == of })
	for range clients { // each client in its turn
		r.transaction("", to("orders", "v")).want(t, 200, "")
	}
	if n := len(committed(t, c.ListenAddrs(), "orders")); n != clients {
		t.Errorf("%d of %d transactions that were answered 200 are seen", n, clients)
	}
	r.ended()
}

func TestTransactionsAreOffWithoutAPrefix(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	o := r.transaction("", to("orders", "v")).want(t, 501, "transactions_not_configured")
	if !strings.Contains(o.Detail, "transactional.id.prefix") {
		t.Error(o.body)
	}
}

func TestTransactionRefusesOtherRequests(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient)
	r.transaction("?ack=queued", to("orders", "v")).want(t, 400, "invalid_request")
	if o := r.transaction("?topics=orders", to("orders", "v")).want(t, 400, "invalid_request"); !strings.Contains(o.Detail, `"topics" is unknown; there are topic, ack and results`) {
		t.Error(o.body)
	}
	r.post("http://"+r.g.HTTPAddr()+"/v1/transactions", "v\n", ndjson).want(t, 415, "unsupported_media_type")
	r.post(r.url("orders"), to("orders", "v"), envelope).want(t, 400, "invalid_request") // the topic is in the path
}

// The older of two gateways with the same ids stays fenced, also when the newer one has none of its transactions under way.
func TestOlderGatewayIsFenced(t *testing.T) {
	c := fake(t)
	const tables = "[topics.orders]\n[topics.other]\n[transactions]\ntransactional.id.prefix = \"t\"\ntransactional.id.pool.size = 2\n"
	older := serve(t, c.ListenAddrs(), tables)
	older.transaction("", to("orders", "older")).want(t, 200, "")
	newer := serve(t, c.ListenAddrs(), tables)
	eventually(t, "the newer has all clients", func() bool { free, of := newer.g.transactions.Free(); return free == of })
	for range 5 {
		o := older.transaction("", to("orders", "never")+to("other", "never")).want(t, 409, "producer_fenced")
		if !strings.Contains(o.Detail, "transactional.id.prefix") {
			t.Error(o.body)
		}
		newer.transaction("", to("orders", "newer")).want(t, 200, "")
	}
	older.post(older.url("orders"), "plain").want(t, 200, "") // other records do not suffer
	if !strings.Contains(older.logs.String(), "another gateway uses the same transactional ids") {
		t.Error("the log does not say it")
	}
	if strings.Contains(newer.logs.String(), "another gateway uses") {
		t.Error("the newer was fenced")
	}
	wantCommitted(t, c, "orders", "newer", "newer", "newer", "newer", "newer", "older", "plain")
	wantCommitted(t, c, "other")
	older.ended()
	newer.ended()
}

func TestUnconfirmedCommitIsUnknown(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient+"transaction.timeout.ms = 1000\n")
	r.transaction("", to("orders", "first")).want(t, 200, "")
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError, Count: 1})
	o := r.transaction("", to("orders", "perhaps"), idempotencyKey).want(t, 504, "outcome_unknown")
	if strings.Contains(o.Detail, "nothing") || !strings.Contains(o.Detail, "all records of the transaction are stored, or none") {
		t.Error(o.body)
	}
	again := r.transaction("", to("orders", "perhaps"), idempotencyKey).want(t, 504, "outcome_unknown")
	if again.header.Get("Idempotency-Replayed") != "true" {
		t.Error("it was executed again")
	}
	r.transaction("", to("orders", "next")).want(t, 200, "")
	if got := committed(t, c.ListenAddrs(), "orders"); len(got) != 2 && !slices.Equal(got, []string{"first", "next", "perhaps"}) {
		t.Errorf("%q", got)
	}
	r.ended()
}

func TestRetriedTransactionIsStoredOnce(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\n[topics.other]"+oneClient)
	body := to("orders", "a") + to("other", "b")
	first := r.transaction("", body, idempotencyKey).want(t, 200, "")
	again := r.transaction("", body, idempotencyKey).want(t, 200, "")
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	r.transaction("?topic=orders", body, idempotencyKey).want(t, 422, "idempotency_key_reused")
	key := "Idempotency-Key: k"
	r.transaction("", to("orders", "x", `"partition":9`), key).want(t, 404, "unknown_partition")
	r.transaction("", to("orders", "c"), key).want(t, 200, "") // nothing had come of it
	wantCommitted(t, c, "orders", "a", "c")
	wantCommitted(t, c, "other", "b")
}

// A transaction whose time is over before it is committed is aborted, whatever the broker does.
func TestLateTransactionIsAborted(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient+"transaction.timeout.ms = 1000\ntransaction.max.block.ms = 30000\n")
	r.transaction("", to("orders", "first")).want(t, 200, "")
	release := holdProduce(c, 0)
	o := r.transaction("", to("orders", "late")).want(t, 503, "transaction_aborted")
	if !strings.Contains(o.Detail, "transaction.timeout.ms = 1000") || o.header.Get("Retry-After") == "" {
		t.Error(o.body, o.header)
	}
	release()
	r.transaction("", to("orders", "next")).want(t, 200, "")
	wantCommitted(t, c, "orders", "first", "next")
	r.ended()
}

// fail lets requests of a kind fail until they shall not any more.
func fail(c *kfake.Cluster, key kmsg.Key, err *kerr.Error) (end func()) {
	return c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: -1}).Remove
}

func TestTransactionWithoutCoordinator(t *testing.T) {
	for name, test := range map[string]struct {
		err    *kerr.Error
		status int
		code   string
	}{
		"away":        {kerr.CoordinatorNotAvailable, 503, "not_available"},
		"not allowed": {kerr.TransactionalIDAuthorizationFailed, 403, "topic_authorization_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			back := fail(c, kmsg.InitProducerID, test.err)
			r := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient+"transaction.max.block.ms = 0\n")
			eventually(t, "it is refused", func() bool {
				o := r.transaction("", to("orders", "never"))
				return o.status == test.status && o.Code == test.code && strings.Contains(o.Detail, "nothing of the transaction was stored")
			})
			back()
			eventually(t, "it is taken", func() bool { return r.transaction("", to("orders", "v")).status == 200 })
			wantCommitted(t, c, "orders", "v")
			r.ended()
		})
	}
}

// While the coordinator is away nobody knows whether a commit that was sent to it happens.
func TestCoordinatorGoesAwayBeforeTheCommit(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient+"transaction.timeout.ms = 1000\ntransaction.max.block.ms = 30000\n")
	r.transaction("", to("orders", "first")).want(t, 200, "")
	back := fail(c, kmsg.EndTxn, kerr.CoordinatorNotAvailable)
	r.transaction("", to("orders", "perhaps")).want(t, 504, "outcome_unknown")
	back()
	r.transaction("", to("orders", "next")).want(t, 200, "")
	// A connection that breaks is no reason to give it up.
	var cuts atomic.Int64
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if cuts.Add(1) == 1 {
			return nil, errors.New("cut off"), true
		}
		return nil, nil, false
	})
	r.transaction("", to("orders", "again")).want(t, 200, "")
	if cuts.Load() < 2 {
		t.Errorf("%d commits were sent: the test shows nothing", cuts.Load())
	}
	// Nor is a coordinator that is not ready yet.
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.CoordinatorLoadInProgress, Count: 1})
	r.transaction("", to("orders", "patient")).want(t, 200, "")
	got := slices.DeleteFunc(committed(t, c.ListenAddrs(), "orders"), func(v string) bool { return v == "perhaps" })
	if !slices.Equal(got, []string{"again", "first", "next", "patient"}) {
		t.Errorf("%q", got)
	}
	r.ended()
}

const steered = "interceptors = [{ module = \"steer\", config = { mark = \"a\" }, routes = [\"*\"], on_error = %q }]\n"

// The interceptors of a topic see records of transactions as all others, and learn what became of them.
func TestTransactionAndInterceptors(t *testing.T) {
	const table = "[topics.orders]\n" + steered + "[topics.other]\n[topics.\"orders.DLT\"]\n"
	ack := func(key string, code int, topic string) string {
		return fmt.Sprintf("a %s %d %s", cookie(key), code, topic)
	}
	key := func(k string, more ...string) []string { return append([]string{fmt.Sprintf(`"key":%q`, k)}, more...) }
	tell := func(what string) string { return fmt.Sprintf(`"headers":{"a":%q}`, what) }
	for name, test := range map[string]struct {
		onError, body string
		status        int
		code          string
		index         int
		orders, other []string
		told          []string
	}{
		"pass": {
			"strict", to("orders", "v", key("k")...) + to("other", "w"), 200, "", 0,
			[]string{"va"},
			[]string{"w"},
			[]string{ack("k", 0, "orders")},
		},
		"drop": {
			"strict", to("orders", "v", key("k", tell("drop"))...) + to("orders", "w", key("l")...) + to("other", "x"), 207, "", 0,
			[]string{"wa"},
			[]string{"x"},
			[]string{ack("k", -1, "orders"), ack("l", 0, "orders")},
		},
		"drop all": {"strict", to("orders", "v", key("k", tell("drop"))...), 207, "", 0, nil, nil, []string{ack("k", -1, "orders")}},
		"route": {
			"strict", to("orders", "v", key("k", tell("route"))...) + to("other", "w"), 200, "", 0, nil,
			[]string{"va", "w"},
			[]string{ack("k", 0, "other")},
		},
		"route to nowhere": {
			"strict", to("other", "w") + to("orders", "v", key("k", tell("wide"))...), 404, "topic_not_configured", 1, nil, nil,
			[]string{ack("k", 3, "wide")},
		},
		"strict": {
			"strict", to("orders", "v", key("k")...) + to("other", "w") + to("orders", "x", key("l", tell("fail"))...), 422, "rejected", 2, nil, nil,
			[]string{ack("k", -1, "orders"), "a 0 -1 orders"}, // what a guest set before it failed does not count
		},
		"dead letter": {
			"dlq", to("orders", "v", key("k")...) + to("orders", "x", tell("fail")), 422, "rejected", 1, nil, nil,
			[]string{"a 0 -1 orders", ack("k", -1, "orders")},
		},
		"continue": {
			"continue", to("orders", "v", key("k")...) + to("orders", "x", tell("fail")), 200, "", 0,
			[]string{"va", "x"},
			nil,
			[]string{"a 0 0 orders", ack("k", 0, "orders")},
		},
		"other topic fails": {
			"strict", to("orders", "v", key("k")...) + to("other", "w", `"partition":7`), 404, "unknown_partition", 1, nil, nil,
			[]string{ack("k", -1, "orders")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			tables := fmt.Sprintf(table, test.onError)
			if test.onError == "dlq" {
				tables = strings.Replace(tables, "[topics.other]", "dead_letter.topic = \"orders.DLT\"\n[topics.other]", 1)
			}
			cfg, _ := guestConfig(t, c, tables+oneClient, steer(t))
			r := serveConfig(t, cfg)
			o := r.transaction("", test.body).want(t, test.status, test.code)
			if o.status >= 400 && (o.Index == nil || *o.Index != test.index || !strings.Contains(o.Detail, "nothing of the transaction was stored")) {
				t.Errorf("index and reason: %s", o.body)
			}
			if o.status == 207 && !o.Records[0].Dropped {
				t.Errorf("what was dropped: %s", o.body)
			}
			eventually(t, "on_ack is told", func() bool { return len(r.told()) == len(test.told) })
			slices.Sort(test.told)
			if got := r.told(); !slices.Equal(got, test.told) {
				t.Errorf("told %q, want %q", got, test.told)
			}
			wantCommitted(t, c, "orders", test.orders...)
			wantCommitted(t, c, "other", test.other...)
			r.ended()
		})
	}
}

// TestTransactionsAreOnTheWireToo: the metrics of clients count what transactions send.
func TestTransactionsAreOnTheWireToo(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\n[topics.other]"+oneClient)
	const times = 3
	for range times {
		r.transaction("", to("orders", "v")+to("orders", "w")+to("other", "v")).want(t, 200, "")
	}
	of := func(name string) float64 { return r.scrapeOf(name)[metric(name, "client_id", "sluice-transactions")] }
	if n := of("sluice_client_records_total"); n != 3*times {
		t.Errorf("%v records are counted", n)
	}
	for name, least := range map[string]float64{
		"kafka_producer_request_total": times, "sluice_client_batches_total": 2 * times, "sluice_client_responses_total": times, "kafka_producer_byte_total": 100,
		"sluice_client_request_latency_seconds_total": 1e-9, "kafka_producer_connection_count": 1,
	} {
		if n := of(name); n < least {
			t.Errorf("%s is %v", name, n)
		}
	}
	if n := of("kafka_producer_requests_in_flight"); n != 0 {
		t.Errorf("%v requests are in flight", n)
	}
	r.ended()
}

func TestTransactionsAreLimitedToo(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nrate.limit.records = 1\nrate.limit.burst.ms = 1\n[topics.other]\n"+oneClient)
	r.transaction("", strings.Repeat(to("orders", "v"), 5)).want(t, 200, "") // a burst, that is paid for afterwards
	o := r.transaction("", to("other", "never")+to("orders", "never")).want(t, 429, "rate_limited")
	if o.header.Get("Retry-After") == "" || o.Index == nil || *o.Index != 1 {
		t.Error(o.body, o.header)
	}
	wantCommitted(t, c, "other")
	r.ended()
}

// Whoever gives a Topic another field has to say here, and in transaction.topic, what it means to transactions.
func TestTransactionsKnowAllOfATopic(t *testing.T) {
	known := map[string]string{
		"cfg": "shared", "interceptors": "shared", "serializer": "shared", "partitioner": "shared", "fallback": "shared", "acks": "shared",
		"limits": "shared", "ended": "shared", "damaged": "shared", "out": "own", "route": "own", "under": "own: the topic itself is held",
		"successor": "none", "removed": "none", "letters": "none", "lettersTimeout": "none", "spool": "none",
	}
	for f := range reflect.TypeFor[Topic]().Fields() {
		if known[f.Name] == "" {
			t.Errorf("Topic.%s: what does it mean to transactions?", f.Name)
		}
	}
}

// ended waits until nothing of the requests is held any more.
func (r *rig) ended() {
	r.t.Helper()
	eventually(r.t, "the memory is given back", func() bool { return r.g.ingest.ReceiveMemory() == 0 && r.g.cluster.Open() == 0 })
	r.clean()
}

func TestTransactionPaysOutOfReceiveMemory(t *testing.T) {
	c := fake(t)
	cfg := parse(t, guestTables(c, "[topics.orders]"+oneClient))
	cfg.HTTP.ReceiveMemory = 300_000
	r := serveConfig(t, cfg)
	body := strings.Repeat(to("orders", strings.Repeat("x", 1000)), 30)
	for range 20 {
		r.transaction("", body+body+body+body+body+body+body+body+body+body).want(t, 503, "overloaded")
		r.transaction("", body).want(t, 200, "")
	}
	r.ended()
}

// A reload during transactions disturbs none, and the topics that it replaces are given up.
func TestReloadDuringTransactions(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\n"+fmt.Sprintf(steered, "strict")+"[topics.other]\n"+oneClient+"transaction.max.block.ms = 60000\n", steer(t))
	r := serveConfig(t, cfg)
	var sent atomic.Int64
	stop := r.load(3, func(worker, i int) error {
		value := fmt.Sprintf("%d-%d", worker, i)
		o, err := r.tryTransaction("", to("orders", value)+to("other", value))
		if err == nil && o.status != 200 {
			err = fmt.Errorf("%d %s", o.status, o.body)
		}
		sent.Add(1)
		return err
	})
	for i := range 5 {
		before := sent.Load()
		eventually(t, "transactions go on", func() bool { return sent.Load() > before+3 })
		next, _ := guestConfig(t, c, "[topics.orders]\nproducer.batch.size = "+fmt.Sprint(1000+i)+"\n"+fmt.Sprintf(steered, "strict")+"[topics.other]\n"+oneClient+"transaction.max.block.ms = 60000\n")
		if err := r.g.Reload(next); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	eventually(t, "the replaced topics are given up", func() bool { return len(r.g.modules.Bounds()) == 1 })
	if a, b := len(committed(t, c.ListenAddrs(), "orders")), len(committed(t, c.ListenAddrs(), "other")); int64(a) != sent.Load() || a != b {
		t.Errorf("%d and %d of %d are stored", a, b, sent.Load())
	}
	r.ended()
}

func TestMoreTransactionsThanClients(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\n[topics.other]\n[transactions]\ntransactional.id.prefix = \"t\"\ntransactional.id.pool.size = 3\ntransaction.max.block.ms = 60000\n")
	const senders, each = 16, 10
	var wg sync.WaitGroup
	var want []string
	for i := range senders {
		for n := range each {
			if n%3 != 2 {
				want = append(want, fmt.Sprintf("%d-%d", i, n))
			}
		}
		wg.Go(func() {
			for n := range each {
				value := fmt.Sprintf("%d-%d", i, n)
				body, status := to("orders", value)+to("other", value), 200
				if n%3 == 2 {
					body, status = body+to("other", value, `"partition":99`), 404
				}
				if o, err := r.tryTransaction("", body); err != nil || o.status != status {
					t.Errorf("%s: %d %s %v", value, o.status, o.body, err)
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(want)
	wantCommitted(t, c, "orders", want...)
	wantCommitted(t, c, "other", want...)
	r.ended()
}

func TestTransactionWaitsForAClient(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient+"transaction.max.block.ms = 50\n")
	r.transaction("", to("orders", "first")).want(t, 200, "")
	release := holdProduce(c, 0)
	defer release()
	held := make(chan outcome, 1)
	go func() {
		o, _ := r.tryTransaction("", to("orders", "held"))
		held <- o
	}()
	eventually(t, "the client is busy", func() bool { return r.g.transactions.Stats.Busy.Load() == 1 })
	o := r.transaction("", to("orders", "turned away")).want(t, 503, "not_available")
	if !strings.Contains(o.Detail, "transaction.max.block.ms = 50") || o.header.Get("Retry-After") == "" {
		t.Error(o.body, o.header)
	}
	release()
	(<-held).want(t, 200, "")
	wantCommitted(t, c, "orders", "first", "held")
	r.ended()
}

// A stop lets a transaction end that is under way, and refuses those that wait for its client.
func TestStopFinishesTransactions(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient+"transaction.max.block.ms = 60000\n")
	r.transaction("", to("orders", "first")).want(t, 200, "")
	release := holdProduce(c, 0)
	defer release()
	answers := make(chan outcome, 2)
	send := func(value string) {
		o, err := r.tryTransaction("", to("orders", value))
		if err != nil {
			t.Error(err)
		}
		answers <- o
	}
	go send("under way")
	eventually(t, "one is under way", func() bool { return r.g.transactions.Stats.Busy.Load() == 1 })
	go send("waiting")
	eventually(t, "one waits", func() bool { return r.g.transactions.Stats.Waiting.Load() == 1 })
	stopped := make(chan error, 1)
	go func() { stopped <- r.end() }()
	(<-answers).want(t, 503, "draining")
	release()
	(<-answers).want(t, 200, "")
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	wantCommitted(t, c, "orders", "first", "under way")
}

// What a stop cannot wait for is aborted.
func TestStopGivesTransactionsUp(t *testing.T) {
	c := fake(t)
	cfg := parse(t, guestTables(c, "[topics.orders]"+oneClient))
	cfg.ShutdownTimeout = 300 * time.Millisecond
	r := serveConfig(t, cfg)
	r.transaction("", to("orders", "first")).want(t, 200, "")
	release := holdProduce(c, 0)
	defer release()
	answers := make(chan outcome, 1)
	go func() {
		o, _ := r.tryTransaction("", to("orders", "given up"))
		answers <- o
	}()
	eventually(t, "it is under way", func() bool { return r.g.transactions.Stats.Busy.Load() == 1 })
	if err := r.end(); err == nil {
		t.Error("a stop that gave a record up is called clean")
	}
	if o := <-answers; o.status != 503 && o.status != 0 { // the connection may be cut first
		t.Errorf("%d %s", o.status, o.body)
	}
	release()
	next := serve(t, c.ListenAddrs(), "[topics.orders]"+oneClient)
	next.transaction("", to("orders", "next")).want(t, 200, "")
	wantCommitted(t, c, "orders", "first", "next")
	next.clean()
}
