//go:build !wasip1

package host

import (
	"strings"

	"sluice/guest-sdk/abi"
)

// Asked is what a guest asked of the fake.
type Asked struct {
	Lines    []Line
	Failed   map[int]string // by record_error, index to reason
	Counters map[string]int64
	Now      int64 // what NowMS says
}

// Line is a line of the log.
type Line struct {
	Level int32
	Text  string
}

var asked = Asked{} //nolint:gochecknoglobals // stands for the one host of the one guest that a process is

// Start makes the fake forget everything and tells it the time.
func Start(now int64) {
	asked = Asked{Now: now, Failed: map[int]string{}, Counters: map[string]int64{}}
}

// Report is what was asked since Start.
func Report() Asked { return asked }

// Log keeps a line, cut as the host cuts it.
func Log(level int32, line string) {
	asked.Lines = append(asked.Lines, Line{level, cut(line, abi.MaxLine)})
}

// RecordError keeps the reason of a record.
func RecordError(index uint32, reason string) {
	if asked.Failed != nil {
		asked.Failed[int(index)] = cut(reason, abi.MaxReason)
	}
}

// CounterAdd adds to a counter.
func CounterAdd(name string, delta int64) {
	if asked.Counters != nil {
		asked.Counters[strings.Clone(name)] += delta
	}
}

// NowMS is the time given to Start.
func NowMS() int64 { return asked.Now }

func cut(s string, n int) string { return strings.Clone(s[:min(len(s), n)]) }
