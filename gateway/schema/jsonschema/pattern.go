package jsonschema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// patterns compiles the patterns of one schema. Go's regular expressions take time that grows with the text and never more, but
// three thousand characters can ask for 100 MB: repeats are written out.
type patterns struct {
	limits   Limits
	total    int
	largest  int
	compiled map[string]jsonschema.Regexp
	failed   error // the first pattern that could not be compiled; the library tells only where it is
}

func (p *patterns) compile(pattern string) (jsonschema.Regexp, error) {
	re, err := p.regexp(pattern)
	if err != nil && p.failed == nil {
		p.failed = fmt.Errorf("pattern %q: %w", shorten(pattern), err)
	}
	return re, err
}

func shorten(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

func (p *patterns) regexp(pattern string) (jsonschema.Regexp, error) {
	if re, ok := p.compiled[pattern]; ok {
		return re, nil
	}
	text := fromECMA(pattern)
	tree, err := syntax.Parse(text, syntax.Perl)
	if bad, ok := errors.AsType[*syntax.Error](err); ok && (bad.Code == syntax.ErrInvalidPerlOp || bad.Code == syntax.ErrInvalidEscape) {
		return nil, fmt.Errorf("%w: patterns with lookaround or backreferences cannot be used", err)
	}
	if err != nil {
		return nil, err
	}
	size := instructions(tree, p.limits.Regexp+1)
	if size > p.limits.Regexp {
		return nil, fmt.Errorf("the pattern has more than %d instructions (schema.jsonschema.max.pattern)", p.limits.Regexp)
	}
	if p.total += size; p.total > p.limits.Regexps {
		return nil, fmt.Errorf("the patterns of the schema have more than %d instructions together (schema.jsonschema.max.patterns)", p.limits.Regexps)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	p.largest = max(p.largest, size)
	p.compiled[pattern] = re
	return re, nil
}

// instructions is about the size that an expression will have compiled, at most limit.
func instructions(re *syntax.Regexp, limit int) int {
	n := len(re.Rune)
	for _, sub := range re.Sub {
		if n += instructions(sub, limit); n >= limit {
			return limit
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n+1, limit)
}

// fromECMA writes what ECMA-262, the language of JSON Schema's patterns, writes otherwise than Go: \uXXXX and \cX.
func fromECMA(pattern string) string {
	if !strings.Contains(pattern, `\u`) && !strings.Contains(pattern, `\c`) {
		return pattern
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i:]
		switch {
		case len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' && isHex(rest[2:6]):
			b.WriteString(`\x{` + rest[2:6] + `}`)
			i += 5
		case len(rest) >= 3 && rest[0] == '\\' && rest[1] == 'c' && (rest[2]|0x20) >= 'a' && (rest[2]|0x20) <= 'z':
			fmt.Fprintf(&b, `\x{%x}`, rest[2]&0x1f)
			i += 2
		case len(rest) >= 2 && rest[0] == '\\':
			b.WriteString(rest[:2])
			i++
		default:
			b.WriteByte(rest[0])
		}
	}
	return b.String()
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
