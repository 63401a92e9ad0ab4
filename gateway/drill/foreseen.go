package drill

import (
	"fmt"

	"sluice/gateway/drill/check"
)

// rules are those of every history, and what a drill may ask beyond: its faults are all of a kind that has to be foreseen.
func rules() []check.Rule {
	return append(check.Rules(), check.Rule{
		Name: "foreseen", Promise: "no answer is 500 or 502, which is a bug or an error that nobody foresaw", Check: checkForeseen,
	})
}

// checkForeseen reports each kind of answer once, with the first records that got it.
func checkForeseen(ix *check.Index, report func(check.Finding)) {
	const show = 5
	first := make(map[string][]check.Entry)
	count := make(map[string]int)
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if e.Status != 500 && e.Status != 502 && e.Code != "internal_error" && e.Code != "broker_error" {
			continue
		}
		answer := fmt.Sprint(e.Status, " ", e.Code)
		if count[answer]++; count[answer] <= show {
			first[answer] = append(first[answer], *e)
		}
	}
	for answer, entries := range first {
		report(check.Finding{ID: entries[0].ID, Detail: fmt.Sprintf("%d records were answered %s", count[answer], answer), Sent: entries})
	}
}
