package ingest

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

// scribble overwrites the names it gave out when their batch ends, as memory does that is used again.
type scribble struct{ names [][]byte }

func (s *scribble) name(of string) string {
	b := []byte(of)
	s.names = append(s.names, b)
	return unsafe.String(&b[0], len(b))
}

func (s *scribble) Free() {
	for _, b := range s.names {
		for i := range b {
			b[i] = '?'
		}
	}
}

// sendThroughModule stores records as a topic with an interceptor does, which does to a record what its value says.
func sendThroughModule(t *memTopic, b *record.Batch) {
	names := new(scribble)
	b.SetNote(0, names)
	for i := range b.Records {
		r := &b.Records[i]
		if topic, ok := strings.CutPrefix(string(r.Value), "to "); ok {
			r.Topic = names.name(topic)
		}
	}
	for i, n := 0, len(b.Records); i < n; i++ {
		switch verb, _, _ := strings.Cut(string(b.Records[i].Value), " "); verb {
		case "drop":
			b.Fail(i, record.Errorf(record.Dropped, "interceptor %q dropped the record", "sample"))
		case "full":
			b.Fail(i, record.Errorf(record.BufferFull, "it is full"))
		default:
			t.storeOne(b, i)
		}
	}
}

const (
	droppedResult = `{"dropped":true,"message":"interceptor \"sample\" dropped the record"}`
	fullResult    = `{"error":{"code":"buffer_full","message":"it is full"}}`
)

type moduleAnswer struct {
	name, query, body string
	status            int
	want              string
	stored            []string
}

func (tt *moduleAnswer) check(t *testing.T, r *rig, headers ...string) {
	t.Helper()
	got := r.post(recordsPath+tt.query, tt.body, headers...)
	if got.status != tt.status || got.header.Get("Content-Type") != "application/json" || got.header.Get("Retry-After") != "" {
		t.Errorf("status %d, want %d: %v", got.status, tt.status, got.header)
	}
	if diff := cmp.Diff(tt.want, got.body); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(tt.stored, r.topic.values()); diff != "" {
		t.Error(diff)
	}
}

func TestModuleAndOneRecord(t *testing.T) {
	topic := testTopic()
	topic.send = sendThroughModule
	r := newRig(t, testConfig(), topic)
	const dropped = `{"topic":"orders","dropped":true,"message":"interceptor \"sample\" dropped the record"}`
	for _, tt := range []moduleAnswer{
		{"drop", "", "drop", 207, dropped, nil},
		{"drop, errors", "?results=errors", "drop", 207, dropped, nil},
		{"drop, queued", "?ack=queued", "drop", 207, dropped, nil},
		{
			"route", "", "to other", 200, `{"topic":"other","partition":0,"offset":0,"timestamp":1700000000000}`,
			[]string{"to other"},
		},
		{"route, queued", "?ack=queued", "to other", 202, `{"topic":"orders","accepted":1}`, []string{"to other"}},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, r.in(t)) })
	}
}

func TestModuleAndLines(t *testing.T) {
	topic := testTopic()
	topic.send = sendThroughModule
	topic.batchMemory = 1 // every record is a batch, and most have ended when the answer is written
	r := newRig(t, testConfig(), topic)
	a := []string{"a"}
	for _, tt := range []moduleAnswer{
		{
			"one dropped", "", "a\ndrop\nb\n", 207,
			`{"topic":"orders","records":[{"partition":0,"offset":0},` + droppedResult + `,{"partition":0,"offset":1}]}`,
			[]string{"a", "b"},
		},
		{"the only one dropped", "", "drop\n", 207, `{"topic":"orders","records":[` + droppedResult + `]}`, nil},
		{"all dropped", "", "drop\ndrop\n", 207, `{"topic":"orders","records":[` + droppedResult + `,` + droppedResult + `]}`, nil},
		{
			"none stored", "", "full\ndrop\nfull\n", 207,
			`{"topic":"orders","records":[` + fullResult + `,` + droppedResult + `,` + fullResult + `]}`, nil,
		},
		{
			"all three", "", "full\ndrop\na\n", 207,
			`{"topic":"orders","records":[` + fullResult + `,` + droppedResult + `,{"partition":0,"offset":0}]}`, a,
		},
		{"one dropped", "?results=errors", "a\ndrop\n", 207, `{"topic":"orders","stored":1,"dropped":1,"failed":0,"errors":[]}`, a},
		{"all dropped", "?results=errors", "drop\ndrop\n", 207, `{"topic":"orders","stored":0,"dropped":2,"failed":0,"errors":[]}`, nil},
		{
			"all three", "?results=errors", "drop\nfull\na\n", 207, `{"topic":"orders","stored":1,"dropped":1,"failed":1,"errors":[` +
				`{"index":1,"code":"buffer_full","message":"it is full"}]}`, a,
		},
		{"one dropped", "?ack=queued", "a\ndrop\n", 202, `{"topic":"orders","accepted":1,"dropped":1}`, a},
		{"all dropped", "?ack=queued", "drop\ndrop\n", 207, `{"topic":"orders","accepted":0,"dropped":2}`, nil},
		{
			"all three", "?ack=queued", "drop\nfull\na\n", 207, `{"topic":"orders","accepted":1,"dropped":1,"failed":1,"errors":[` +
				`{"index":1,"code":"buffer_full","message":"it is full"}]}`, a,
		},
		{
			"routed", "", "to x\na\nto y\nto x\nto orders\n", 200,
			`{"topic":"orders","records":[{"topic":"x","partition":0,"offset":0},{"partition":0,"offset":1},` +
				`{"topic":"y","partition":0,"offset":2},{"topic":"x","partition":0,"offset":3},{"partition":0,"offset":4}]}`,
			[]string{"to x", "a", "to y", "to x", "to orders"},
		},
		{
			"routed and not", "", "to x\ndrop\nfull\n", 207,
			`{"topic":"orders","records":[{"topic":"x","partition":0,"offset":0},` + droppedResult + `,` + fullResult + `]}`,
			[]string{"to x"},
		},
		{"routed", "?results=errors", "to x\n", 200, `{"topic":"orders","stored":1,"failed":0,"errors":[]}`, []string{"to x"}},
	} {
		t.Run(tt.query+" "+tt.name, func(t *testing.T) { tt.check(t, r.in(t), ndjsonType) })
	}
}

// The topics of a request may be more than those a name is looked for in.
func TestRoutedToManyTopics(t *testing.T) {
	topic := testTopic()
	topic.send = sendThroughModule
	r := newRig(t, testConfig(), topic)
	var body, want strings.Builder
	for i := range 40 {
		name := "t" + strings.Repeat("x", i/2)
		body.WriteString("to " + name + "\n")
		want.WriteString(`,{"topic":"` + name + `"`)
	}
	got := r.post(recordsPath, body.String(), ndjsonType)
	var have strings.Builder
	for part := range strings.SplitSeq(got.body, `{"topic":"`) {
		if name, _, _ := strings.Cut(part, `"`); name != "orders" && name != "" {
			have.WriteString(`,{"topic":"` + name + `"`)
		}
	}
	if diff := cmp.Diff(want.String(), have.String()); diff != "" || got.status != 200 {
		t.Error(got.status, diff)
	}
}

// What is known of a drop when the time to wait is over is told as such, and so is where a record was routed to.
func TestModuleAndNoAckInTime(t *testing.T) {
	var l later
	topic := testTopic()
	topic.await = 50e6
	topic.send = func(topic *memTopic, b *record.Batch) {
		for i := range b.Records {
			switch r := &b.Records[i]; string(r.Value) {
			case "drop":
				b.Fail(i, record.Errorf(record.Dropped, "interceptor %q dropped the record", "sample"))
			case "to x":
				r.Topic = "x"
				topic.storeOne(b, i)
			}
		}
		l.send(topic, b)
	}
	r := newRig(t, testConfig(), topic)
	got := r.post(recordsPath, "drop\nto x\nnever\n", ndjsonType)
	want := `{"topic":"orders","records":[` + droppedResult + `,{"topic":"x","partition":0,"offset":0},{"error":{"code":"outcome_unknown",`
	if got.status != 207 || !strings.HasPrefix(got.body, want) {
		t.Error(got)
	}
	l.taken()[0].Complete(2, record.Ack{Code: record.Stored})
}

// A drop that is told of later, by whoever completes records, is answered like one at once.
func TestDroppedLater(t *testing.T) {
	topic := testTopic()
	topic.send = func(_ *memTopic, b *record.Batch) {
		go b.Complete(0, record.Errorf(record.Dropped, "dropped").Failed(record.NoPartition))
	}
	r := newRig(t, testConfig(), topic)
	tt := moduleAnswer{body: "v", status: 207, want: `{"topic":"orders","dropped":true,"message":"dropped"}`}
	tt.check(t, r)
}

// TestDeadLetteredIsNoError: it is neither stored where it was sent nor lost, and to be sent again by nobody.
func TestDeadLetteredIsNoError(t *testing.T) {
	topic := testTopic()
	topic.send = func(m *memTopic, b *record.Batch) {
		for i := range b.Records {
			if string(b.Records[i].Value) != "bad" {
				m.storeOne(b, i)
				continue
			}
			e := record.Errorf(record.DeadLettered, "it is bad")
			e.Letter = &record.Letter{Topic: "orders.DLT", Partition: 2, Offset: 7, Code: record.InvalidRecord}
			b.Complete(i, e.Failed(1))
		}
	}
	r := newRig(t, testConfig(), topic)
	const letter = `"dead_letter":{"topic":"orders.DLT","partition":2,"offset":7},"code":"invalid_record","message":"it is bad"`
	got := r.post(recordsPath, "bad")
	if want := `{"topic":"orders",` + letter + `}`; got.status != 207 || got.body != want {
		t.Errorf("%d %s", got.status, got.body)
	}
	got = r.post(recordsPath, "a\nbad\n", ndjsonType)
	if got.status != 207 || !strings.Contains(got.body, letter) || strings.Contains(got.body, `"error"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	got = r.post(recordsPath+"?results=errors", "a\nbad\nbad\n", ndjsonType)
	if want := `{"topic":"orders","stored":1,"dead_lettered":2,"failed":0,"errors":[]}`; got.status != 207 || got.body != want {
		t.Errorf("%d %s", got.status, got.body)
	}
}
