package drill

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"sluice/gateway/drill/check"
)

func TestAnswersAreRead(t *testing.T) {
	for _, tt := range []struct {
		records, status int
		body, want      string // outcome, code and place of each record
	}{
		{1, 200, `{"topic":"t","partition":2,"offset":7,"timestamp":1}`, "stored  2@7"},
		{1, 200, `{"topic":"t"}`, "stored  -1@-1"}, // a place is missing, which the checker finds
		{1, 202, `{"topic":"t","accepted":1}`, "accepted  -1@-1"},
		{1, 503, `{"status":503,"code":"buffer_full","detail":"…"}`, "refused buffer_full -1@-1"},
		{1, 504, `{"status":504,"code":"delivery_timeout"}`, "unknown delivery_timeout -1@-1"},
		{1, 207, `{"topic":"t","dropped":true,"message":"…"}`, "refused dropped -1@-1"},
		{
			1, 207, `{"topic":"t","dead_letter":{"topic":"t.DLT","partition":2,"offset":7},"code":"record_too_large","message":"…"}`,
			"dead-lettered dead_lettered -1@-1 t.DLT/2@7",
		},
		{1, 413, `{"status":413,"code":"record_too_large","detail":"…; its dead letter could not be stored in t.DLT either: …"}`, "refused record_too_large -1@-1 no letter"},
		{
			3, 207, `{"topic":"t","records":[{"dead_letter":{"topic":"t.DLT","partition":0,"offset":1},"code":"rejected"},{"partition":1,"offset":5},` +
				`{"error":{"code":"not_available","message":"…; its dead letter could not be stored in t.DLT either: …"}}]}`,
			"dead-lettered dead_lettered -1@-1 t.DLT/0@1, stored  1@5, refused not_available -1@-1 no letter",
		},
		{2, 200, `{"committed":true,"records":[{"topic":"t","partition":0,"offset":1},{"topic":"u","partition":1,"offset":5}]}`, "stored  0@1, stored  1@5"},
		{2, 413, `{"status":413,"code":"record_too_large","detail":"…","index":1}`, "refused record_too_large -1@-1, refused record_too_large -1@-1"},
		{1, 500, `oops`, "unknown answer_not_json -1@-1"},
		{2, 200, `{"topic":"t","records":[{"partition":0,"offset":1},{"partition":1,"offset":5}]}`, "stored  0@1, stored  1@5"},
		{
			3, 207, `{"topic":"t","records":[{"partition":0,"offset":1},{"error":{"code":"buffer_full"}},{"error":{"code":"delivery_timeout"}}]}`,
			"stored  0@1, refused buffer_full -1@-1, unknown delivery_timeout -1@-1",
		},
		{2, 207, `{"topic":"t","records":[{"partition":0,"offset":1}],"error":{"code":"body_too_large"}}`, "stored  0@1, refused body_too_large -1@-1"},
		{2, 503, `{"status":503,"code":"draining","failed":2}`, "refused draining -1@-1, refused draining -1@-1"},
		{
			2, 504, `{"code":"outcome_unknown","records":[{"error":{"code":"outcome_unknown"}},{"error":{"code":"delivery_timeout"}}]}`,
			"unknown outcome_unknown -1@-1, unknown delivery_timeout -1@-1",
		},
	} {
		entries := make([]check.Entry, tt.records)
		for i := range entries {
			entries[i].Partition, entries[i].Offset = -1, -1
		}
		note(entries, tt.status, []byte(tt.body))
		var got []string
		for _, e := range entries {
			line := fmt.Sprintf("%s %s %d@%d", e.Outcome(), e.Code, e.Partition, e.Offset)
			if l := e.Letter; l != nil {
				line += fmt.Sprintf(" %s/%d@%d", l.Topic, l.Partition, l.Offset)
			}
			if e.NoLetter {
				line += " no letter"
			}
			got = append(got, line)
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%d %s\n is read as %s\n       want %s", tt.status, tt.body, s, tt.want)
		}
	}
}

func TestBrokenConnections(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want check.Outcome
	}{
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, check.Refused},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, check.Unknown},
		{errors.New("EOF"), check.Unknown},
	} {
		e := make([]check.Entry, 1)
		noteFailure(e, fmt.Errorf("post: %w", tt.err))
		if got := e[0].Outcome(); got != tt.want {
			t.Errorf("%v is %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestLongestGap(t *testing.T) {
	entries := []check.Entry{
		{Topic: "a", Status: 200, Answered: 110},
		{Topic: "a", Status: 503, Answered: 200},
		{Topic: "a", Status: 200, Answered: 250},
		{Topic: "b", Status: 200, Answered: 190},
		{Topic: "b", Status: 200, Answered: 290},
	}
	if got := longestGap(entries, 100, 300).Microseconds(); got != 140 {
		t.Errorf("the longest gap is %d µs, want 140 (of topic a)", got)
	}
	if got := longestGap(append(entries, check.Entry{Topic: "c"}), 100, 300).Microseconds(); got != 200 {
		t.Errorf("with a topic that stores nothing the longest gap is %d µs, want 200", got)
	}
}
