package sluice

import (
	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/internal/host"
)

// Level is how important a line of the log is.
type Level int32

// The levels.
const (
	LevelTrace Level = abi.LevelTrace
	LevelDebug Level = abi.LevelDebug
	LevelInfo  Level = abi.LevelInfo
	LevelWarn  Level = abi.LevelWarn
	LevelError Level = abi.LevelError
)

// Log writes a line to the module's log. The host cuts lines at 1,024 bytes and takes wasm.log.lines.per.second of them.
func Log(level Level, line string) { host.Log(int32(level), line) }

// Debug logs a line at level debug.
func Debug(line string) { Log(LevelDebug, line) }

// Info logs a line at level info.
func Info(line string) { Log(LevelInfo, line) }

// Warn logs a line at level warn.
func Warn(line string) { Log(LevelWarn, line) }

// Error logs a line at level error.
func Error(line string) { Log(LevelError, line) }
