package dlt

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// result is what became of a letter.
type result struct {
	outcome       replayOutcome
	to            string // where it is now
	code, message string // why it is not in its topic
}

type replayOutcome int

const (
	replayed replayOutcome = iota
	lettered
	dropped
	refused

	numOutcomes
)

// maxReasons is how many reasons a summary has lines for.
const maxReasons = 50

// summary is what became of all letters of a replay.
type summary struct {
	counts  [numOutcomes]int
	skipped int // replayed before
	reasons []*reason
	further int // letters whose reasons found no line
}

// reason is why letters are not in their topic; those with the same code and message share one.
type reason struct {
	outcome       replayOutcome
	code, message string
	letters       []string // the first ones
	count         int
}

func (s *summary) settled() (n int) {
	for _, c := range s.counts {
		n += c
	}
	return n
}

func (s *summary) add(l *Letter, res result) {
	s.counts[res.outcome]++
	if res.outcome == replayed {
		return
	}
	r := s.reason(res)
	if r == nil {
		s.further++
		return
	}
	if r.count++; len(r.letters) < 3 {
		r.letters = append(r.letters, l.at().String())
	}
}

func (s *summary) reason(res result) *reason {
	for _, r := range s.reasons {
		if r.outcome == res.outcome && r.code == res.code && r.message == res.message {
			return r
		}
	}
	if len(s.reasons) == maxReasons {
		return nil
	}
	r := &reason{outcome: res.outcome, code: res.code, message: res.message}
	s.reasons = append(s.reasons, r)
	return r
}

// write prints the summary of a replay of total letters.
func (s *summary) write(w io.Writer, how *Replay, total int) {
	if total == 0 {
		fmt.Fprintf(w, "%s: nothing to replay; %s replayed before\n", how.Topic, count(s.skipped, "letter"))
		return
	}
	fmt.Fprintf(w, "%s: %s to replay %s\n", how.Topic, count(total, "letter"), how.way())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, n int) {
		if n > 0 {
			fmt.Fprintf(t, "%d\t  %s\n", n, name)
		}
	}
	fmt.Fprintf(t, "%d\t  replayed\n", s.counts[replayed])
	row("dead-lettered again", s.counts[lettered])
	row("dropped by a module", s.counts[dropped])
	row("refused", s.counts[refused])
	row("not tried", total-s.settled())
	row("skipped, replayed before", s.skipped)
	_ = t.Flush()
	s.writeReasons(w)
}

func (s *summary) writeReasons(w io.Writer) {
	if len(s.reasons) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "OUTCOME\tCODE\tCOUNT\tLETTERS\tMESSAGE")
	for _, r := range s.reasons {
		letters := strings.Join(r.letters, ", ")
		if r.count > len(r.letters) {
			letters += ", …"
		}
		name := [...]string{lettered: "dead letter", dropped: "dropped", refused: "refused"}[r.outcome]
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", name, orDash(r.code), r.count, letters, line(r.message, 2*messageWidth))
	}
	_ = t.Flush()
	if s.further > 0 {
		fmt.Fprintf(w, "and %s for other reasons\n", count(s.further, "letter"))
	}
}
