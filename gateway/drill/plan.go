package drill

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Words of a plan that stand for more than one fault.
const (
	everyFault = "all"   // each alone
	mixedPairs = "pairs" // each once, with another that is chosen by chance
)

// plan is what happens in a round of the drill: for each round of the load one fault, or several at the same time.
func plan(words []string, chance *rand.Rand) ([][]Fault, error) {
	var all [][]Fault
	for _, word := range words {
		switch word {
		case everyFault:
			for _, f := range Faults() {
				all = append(all, []Fault{f})
			}
		case mixedPairs:
			all = append(all, pairs(chance)...)
		default:
			mix, err := mixed(word)
			if err != nil {
				return nil, err
			}
			all = append(all, mix)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no faults to drill: there are %s", faultNames())
	}
	return all, nil
}

// mixed is "fault" or "fault+fault".
func mixed(word string) ([]Fault, error) {
	var mix []Fault
	for name := range strings.SplitSeq(word, "+") {
		f, err := faultByName(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		mix = append(mix, f)
	}
	return mix, nil
}

func pairs(chance *rand.Rand) [][]Fault {
	faults := Faults()[1:] // "none" mixes with nothing
	chance.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	var all [][]Fault
	for i := 0; i < len(faults); i += 2 {
		all = append(all, []Fault{faults[i], faults[(i+1)%len(faults)]}) // of an odd number, the last meets the first again
	}
	return all
}
