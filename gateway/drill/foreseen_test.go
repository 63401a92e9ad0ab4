package drill

import (
	"testing"

	"sluice/gateway/drill/check"
)

func TestUnforeseenAnswersAreFound(t *testing.T) {
	entries := []check.Entry{
		{ID: "a", Status: 502, Code: "broker_error"},
		{ID: "b", Status: 504, Code: "outcome_unknown"},
		{ID: "c", Status: 502, Code: "broker_error"},
		{ID: "d", Status: 207, Code: "internal_error"},
		{ID: "e", Status: 0, Code: check.NoAnswer},
	}
	got := make(map[string]string)
	for _, f := range check.Check(&check.Run{Entries: entries}, rules()) {
		got[f.ID] = f.Rule + ": " + f.Detail
	}
	want := map[string]string{
		"a": "foreseen: 2 records were answered 502 broker_error",
		"d": "foreseen: 1 records were answered 207 internal_error",
	}
	if len(got) != len(want) || got["a"] != want["a"] || got["d"] != want["d"] {
		t.Errorf("found %v, want %v", got, want)
	}
}
