package config

import (
	"bytes"
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxSyntaxErrors bounds how often the scanner takes up the thread again after a syntax error.
const maxSyntaxErrors = 20

// entry is one key of a file with its value.
type entry struct {
	path   []string // with the path of its table in front
	line   int
	text   string // the value as written
	val    literal
	header int // index of the [table] it stands in; -1 before the first
}

// header is a [table] or an empty inline table: it may matter though it holds no key.
type header struct {
	path   []string
	line   int
	array  bool // [[table]]
	broken bool // it could not be read, so nobody knows where the keys below it belong
}

// document is a TOML file taken apart, in its own order.
type document struct {
	file    string
	entries []entry
	headers []header
	errs    Errors // syntax
	again   *Error // what the decoder says; nil if there were syntax errors
}

// scanner turns go-toml's expressions into entries. It goes on after a syntax error, so that one typing mistake does not
// hide the other errors of the file.
type scanner struct {
	document
	data   []byte
	starts []int // offset of each line
	parser unstable.Parser
	base   int // offset in data of what the parser was given
	end    int // offset in data where the last good expression ended
	header int
}

func scan(file string, data []byte) *document {
	// The parser finds positions by capacity, so there must be none beyond the data.
	data = slices.Clip(bytes.Clone(data))
	s := &scanner{document: document{file: file}, data: data, starts: []int{0}, header: -1}
	for i, c := range data {
		if c == '\n' {
			s.starts = append(s.starts, i+1)
		}
	}
	for s.base < len(data) && len(s.errs) < maxSyntaxErrors {
		s.parser.Reset(data[s.base:])
		for s.parser.NextExpression() {
			s.expression(s.parser.Expression())
		}
		err := s.parser.Error()
		if err == nil {
			break
		}
		s.syntax(err)
		s.base = s.resume()
		s.end = s.base
	}
	if len(s.errs) == 0 {
		s.semantics()
	}
	return &s.document
}

// line returns the line of an offset, from 1. The end of a file that ends with a newline belongs to the last line.
func (s *scanner) line(offset int) int {
	offset = max(0, min(offset, len(s.data)-1))
	return sort.SearchInts(s.starts, offset+1)
}

func (s *scanner) syntax(err error) {
	at := len(s.data)
	if pe, ok := errors.AsType[*unstable.ParserError](err); ok {
		at = s.base + int(s.parser.Range(pe.Highlight).Offset)
	}
	s.errs = append(s.errs, &Error{File: s.file, Line: s.line(at), Rule: strings.TrimPrefix(err.Error(), "toml: ")})
}

// resume returns the offset of the first line behind the start of the expression that failed which looks like a new
// expression.
func (s *scanner) resume() int {
	l := s.line(s.end) - 1
	if s.end > s.base {
		l++ // behind the line of the last good expression
	}
	for l < len(s.starts) && isBlank(s.lineText(l)) {
		l++
	}
	if l < len(s.starts) && strings.HasPrefix(s.lineText(l), "[") {
		s.header = len(s.headers)
		s.headers = append(s.headers, header{line: l + 1, broken: true})
	}
	for l++; l < len(s.starts); l++ {
		if startsExpression(s.lineText(l)) {
			return s.starts[l]
		}
	}
	return len(s.data)
}

func (s *scanner) lineText(i int) string {
	end := len(s.data)
	if i+1 < len(s.starts) {
		end = s.starts[i+1]
	}
	return strings.TrimSpace(string(s.data[s.starts[i]:end]))
}

func isBlank(line string) bool { return line == "" || line[0] == '#' }

func startsExpression(line string) bool {
	if strings.HasPrefix(line, "[") {
		return true
	}
	key, _, ok := strings.Cut(line, "=")
	return ok && strings.Trim(key, bareKey+`."' `+"\t") == ""
}

func (s *scanner) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table, unstable.ArrayTable:
		path, first, end := s.key(nil, n.Key())
		s.header = len(s.headers)
		s.headers = append(s.headers, header{path: path, line: s.line(first), array: n.Kind == unstable.ArrayTable})
		s.end = end
	case unstable.KeyValue:
		var table []string
		if s.header >= 0 {
			table = s.headers[s.header].path
		}
		s.keyValue(table, n)
		s.end = s.base + int(n.Raw.Offset+n.Raw.Length) - 1
	default:
	}
}

// key returns a key's path below table, and where its first part starts and its last part ends.
func (s *scanner) key(table []string, it unstable.Iterator) (path []string, start, end int) {
	path = slices.Clone(table)
	start = -1
	for it.Next() {
		n := it.Node()
		if start < 0 {
			start = s.base + int(n.Raw.Offset)
		}
		end = s.base + int(n.Raw.Offset+n.Raw.Length)
		path = append(path, string(n.Data))
	}
	return path, start, end
}

// keyValue adds the entry of n, or those of the inline table that is its value.
func (s *scanner) keyValue(table []string, n *unstable.Node) {
	path, start, end := s.key(table, n.Key())
	v := n.Value()
	if v.Kind == unstable.InlineTable {
		it := v.Children()
		empty := true
		for it.Next() {
			empty = false
			s.keyValue(path, it.Node())
		}
		if empty {
			s.headers = append(s.headers, header{path: path, line: s.line(start)})
		}
		return
	}
	val := s.literal(v)
	val.line, val.text = s.line(start), s.text(n, end)
	s.entries = append(s.entries, entry{path: path, line: val.line, text: val.text, val: val, header: s.header})
}

// text returns the value of a key as written; end is where the key ends.
func (s *scanner) text(n *unstable.Node, end int) string {
	text := string(s.data[end : s.base+int(n.Raw.Offset+n.Raw.Length)])
	return shorten(strings.TrimPrefix(strings.TrimSpace(text), "="))
}

// semantics asks go-toml's decoder for what the grammar alone does not say: keys and tables that are defined twice,
// dates that do not exist. It stops at the first.
func (s *scanner) semantics() {
	var into map[string]any
	err := toml.Unmarshal(s.data, &into)
	var de *toml.DecodeError
	switch {
	case err == nil:
	case errors.As(err, &de):
		row, _ := de.Position()
		s.again = &Error{File: s.file, Line: row, Rule: strings.TrimPrefix(de.Error(), "toml: ")}
	default:
		s.again = &Error{File: s.file, Line: s.line(len(s.data)), Rule: strings.TrimPrefix(err.Error(), "toml: ")}
	}
}

// maxShown is how much of a value an error shows.
const maxShown = 80

// shorten puts a value that may span lines into one short line.
func shorten(text string) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?")
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "..."
}
