package drill

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sluice/gateway/drill/check"
)

func TestPlan(t *testing.T) {
	planned := func(words ...string) string {
		mixes, err := plan(words, rand.New(rand.NewPCG(1, 0)))
		if err != nil {
			return err.Error()
		}
		var names []string
		for _, mix := range mixes {
			names = append(names, (&Round{Faults: namesOf(mix)}).name())
		}
		return strings.Join(names, " ")
	}
	if got := planned("none", "all-stop+gateway-kill"); got != "none all-stop+gateway-kill" {
		t.Errorf("plan %q", got)
	}
	if got, want := planned("all"), strings.ReplaceAll(faultNames(), ",", ""); got != want {
		t.Errorf("all is %q, want %q", got, want)
	}
	got := planned("pairs")
	if got != planned("pairs") {
		t.Error("the same seed gives other pairs")
	}
	for _, f := range Faults()[1:] {
		if strings.Count(" "+strings.ReplaceAll(got, "+", " ")+" ", " "+f.Name+" ") == 0 {
			t.Errorf("%s is in no pair: %s", f.Name, got)
		}
	}
	if got := planned("leader-kil"); !strings.HasPrefix(got, `no fault "leader-kil": there are none, leader-kill`) {
		t.Errorf("a wrong name: %s", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	err := (&Options{Faults: []string{"flood"}, Hold: time.Millisecond}).Check()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"rounds must be at least 1, not 0", "rate must be", "duration must be at least 1s, not 1ms", `no fault "flood"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say: %s", err, want)
		}
	}
}

func TestReport(t *testing.T) {
	r := &Report{Rounds: []*Round{
		{Faults: []string{"all-stop"}, Number: 1, Outcomes: map[string]int{"stored": 10, "unknown": 1}, Unavailable: 8 * time.Second},
		{Faults: []string{"all-stop"}, Number: 2, Outcomes: map[string]int{"stored": 20, "refused": 3}, Letters: 5, Transactions: map[string]int{"stored": 6, "refused": 2, "unknown": 1}, Slowest: 7 * time.Second},
	}}
	if err := r.Err(); err != nil {
		t.Errorf("without findings: %v", err)
	}
	r.Rounds = append(r.Rounds,
		&Round{Faults: []string{"none"}, Number: 1, Found: 2, Findings: []check.Finding{
			{Rule: "lost", ID: "r3-c1-5", Detail: "is not in the log", Sent: []check.Entry{{ID: "r3-c1-5", Status: 200}}},
		}},
		&Round{Faults: []string{"none"}, Number: 2, Error: "broker 1 ended"})
	if err := r.Err(); err == nil || err.Error() != "3 findings" {
		t.Errorf("with findings: %v", err)
	}
	var text bytes.Buffer
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{
		"all-stop 2 30 0 3 1 5 6 2 1 8.0 s 7.0 s 0", "none 2 0 0 0 0 0 0 0 0 0.0 s 0.0 s 2 (1 not judged)",
		"lost: r3-c1-5 is not in the log", `sent {"id":"r3-c1-5"`, "broker 1 ended",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("the report does not say %q:\n%s", want, text.String())
		}
	}
}
