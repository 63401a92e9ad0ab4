package bench

import (
	"bufio"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestFateOfRecords(t *testing.T) {
	for _, test := range []struct {
		status  int
		body    string
		records int
		want    fate
	}{
		{200, "", 3, fate{stored: 3}},
		{202, "", 3, fate{stored: 3}},
		{503, "", 3, fate{failed: 3}},
		{207, `{"topic":"t","records":[{"partition":0,"offset":1},{"error":{"code":"rejected"}},{"dropped":true,"message":"m"}]}`, 3, fate{1, 1, 1}},
		{207, `{"topic":"t","records":[{"partition":0,"offset":1}],"error":{"code":"body_too_large"}}`, 3, fate{1, 0, 2}},
		{207, `{"topic":"t","dropped":true,"message":"m"}`, 1, fate{0, 1, 0}},
		{207, `{"topic":"t","accepted":4,"dropped":1,"failed":2,"errors":[]}`, 7, fate{4, 1, 2}},
		{207, `{"topic":"t","stored":4,"failed":2,"errors":[]}`, 6, fate{4, 0, 2}},
		{207, `broken`, 6, fate{0, 0, 6}},
	} {
		if got := fateOf(test.status, []byte(test.body), test.records); got != test.want {
			t.Errorf("%d %s: %+v, want %+v", test.status, test.body, got, test.want)
		}
	}
}

// TestPartialAnswersAreCounted: a 207 is neither a success nor a failure, its records are.
func TestPartialAnswersAreCounted(t *testing.T) {
	const one = `{"topic":"t","records":[{"partition":0,"offset":1},{"error":{"code":"rejected"}}]}`
	s := serve(t, func(ctx *fasthttp.RequestCtx, n int64) {
		if n%2 == 0 {
			return
		}
		ctx.SetStatusCode(statusPartial)
		ctx.SetBodyString(one)
		if n%4 == 1 {
			ctx.Response.ImmediateHeaderFlush = true
			ctx.SetBodyStreamWriter(func(w *bufio.Writer) { _, _ = w.WriteString(one) }) // in chunks
		}
	})
	p := small(s, 400)
	p.shape = shape{topic: "t", dialect: dialectNDJSON, records: 2, size: 10}
	r := run(t, p)
	if r.Statuses["207"] != 200 || r.Statuses["200"] != 200 || r.Failed != 200 || r.Dropped != 0 || r.Latency.Count != 400 {
		t.Errorf("%+v", r)
	}
	if stored := r.Goodput * r.Seconds; stored < 599 || stored > 601 {
		t.Errorf("%v records were stored, want 600", stored)
	}
}
