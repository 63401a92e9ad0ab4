package toolchain

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// MissingError is a compiler that this machine does not have.
type MissingError struct {
	Language Language
	Program  string // what is missing, for example "a clang that knows wasm32"
	Install  string // the command that installs it
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is missing, which building a module in %s needs; install it: %s", e.Program, e.Language, e.Install)
}

// CompileError is source that its compiler refused.
type CompileError struct {
	Language Language
	Output   string // what the compiler said, shortened: one line per error where it can be had, paths relative to the source folder
	Hint     string // what to do about it; "" if nothing is known
}

func (e *CompileError) Error() string {
	text := fmt.Sprintf("the %s compiler refused it:\n%s", e.Language, e.Output)
	if e.Hint != "" {
		text += "\n(" + e.Hint + ")"
	}
	return text
}

// hint is advice on a compiler's message that does not say what to do.
type hint struct{ message, advice string }

// compileError makes a CompileError of a program's failure; other errors stay what they are.
func compileError(err error, l Language, dir string, hints []hint) error {
	exit, ok := errors.AsType[*exitError](err)
	if !ok {
		return err
	}
	e := &CompileError{Language: l, Output: shorten(exit.output, dir)}
	for _, h := range hints {
		if strings.Contains(exit.output, h.message) {
			e.Hint = h.advice
			break
		}
	}
	if e.Output == "" {
		e.Output = exit.err.Error()
	}
	return e
}

// Limits of what is passed on of a compiler's output. The first errors are the ones that matter.
const (
	maxLines     = 20
	maxLineBytes = 300
)

// noise are lines that say nothing to who reads the others.
var noise = regexp.MustCompile(`^(# |error: aborting due to|warning: \d+ warning|\d+ (errors?|warnings?) generated|error: could not compile` +
	`|For more information about|Some errors have detailed|FAILURE \d+ compile error|npm (warn|notice) )`)

// colors are the escape sequences that some compilers write into a pipe, too.
var colors = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

func shorten(output, dir string) string {
	output = colors.ReplaceAllString(output, "")
	if abs, err := filepath.Abs(dir); err == nil {
		output = strings.ReplaceAll(output, abs+string(filepath.Separator), "")
	}
	var lines []string
	more := 0
	for line := range strings.Lines(output) {
		line = strings.TrimPrefix(strings.TrimRight(line, " \t\r\n"), "./")
		switch {
		case line == "" || noise.MatchString(line):
		case len(lines) == maxLines:
			more++
		default:
			lines = append(lines, cut(line))
		}
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("... and %d more lines", more))
	}
	return strings.Join(lines, "\n")
}

func cut(line string) string {
	if len(line) <= maxLineBytes {
		return line
	}
	return strings.ToValidUTF8(line[:maxLineBytes], "") + "..."
}
