package guest

import (
	"time"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost"
)

// LogLine is a line that a guest logged, as it is shown.
type LogLine struct {
	Time    time.Time `json:"time"`
	Level   string    `json:"level"` // one of Levels
	Version string    `json:"version"`
	Text    string    `json:"text"`
}

// Levels are the names of the levels that guests log at, by their number.
func Levels() []string {
	return []string{abi.LevelTrace: "trace", abi.LevelDebug: "debug", abi.LevelInfo: "info", abi.LevelWarn: "warn", abi.LevelError: "error"}
}

// Shown is a line as it is shown.
func Shown(l wasmhost.Line) LogLine {
	levels := Levels()
	return LogLine{Time: l.Time, Level: levels[min(max(l.Level, 0), len(levels)-1)], Version: l.Version, Text: l.Text}
}

// ShownAll is Shown for all of lines. It is not nil.
func ShownAll(lines []wasmhost.Line) []LogLine {
	all := make([]LogLine, 0, len(lines))
	for _, l := range lines {
		all = append(all, Shown(l))
	}
	return all
}
