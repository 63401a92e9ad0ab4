package dlt

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The widths of what is shortened in a table.
const (
	keyWidth     = 24
	messageWidth = 160
)

const timeFormat = "2006-01-02 15:04:05"

// bytesText is bytes as one short line of nothing but printable characters: what was sent by anyone must not steer a terminal.
func bytesText(p []byte, width int) string {
	switch {
	case p == nil:
		return "-"
	case len(p) == 0:
		return `""`
	case !utf8.Valid(p):
		return shorten("0x"+hex.EncodeToString(p[:min(len(p), width)]), width)
	}
	return line(string(p), width)
}

// line is a text as one short line of nothing but printable characters.
func line(s string, width int) string {
	return shorten(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, s), width)
}

func shorten(s string, width int) string {
	n := 0
	for i := range s {
		if n++; n == width && len(s) > i+1 && utf8.RuneCountInString(s[i:]) > 1 {
			return s[:i] + "…"
		}
	}
	return s
}

// block is bytes as text of several lines, or a hex dump if they are none.
func block(p []byte) string {
	text := strings.ReplaceAll(string(p), "\r\n", "\n")
	shown := func(r rune) bool { return unicode.IsPrint(r) || r == '\n' || r == '\t' }
	if !utf8.Valid(p) || strings.ContainsFunc(text, func(r rune) bool { return !shown(r) }) {
		return hex.Dump(p)
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return line(s, messageWidth)
}

// count is a number of things in words.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func localTime(t time.Time) string { return t.Local().Format(timeFormat) }
