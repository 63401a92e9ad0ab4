package ingest

import (
	"testing"
	"time"

	"sluice/gateway/record"
)

func TestEveryCodeHasAStatus(t *testing.T) {
	for _, c := range record.Codes() {
		if int(c) >= len(statuses) || statuses[c] == 0 {
			t.Errorf("%v has no status", c)
		}
		if s := status(c); c.Retriable() && s != 503 && s != 429 && s != 409 {
			t.Errorf("%v is retriable, and its status is %d", c, s)
		}
		if s := status(c); (s == 200) != (c == record.Stored) {
			t.Errorf("%v has status %d; 200 means stored, and nothing else", c, s)
		}
		if s := status(c); c.OutcomeUnknown() != (s == 504) {
			t.Errorf("%v: outcome unknown is %v, and its status is %d", c, c.OutcomeUnknown(), s)
		}
	}
	if s := status(record.Code(200)); s != 500 {
		t.Errorf("an unknown code has status %d", s)
	}
}

func TestRetryAfterIsWholeSecondsRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]int64{0: 1, time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2, time.Minute: 60} {
		if got := retrySeconds(d); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}
