package json

// fault is what is wrong with a text, or that nothing is.
type fault uint8

const (
	good fault = iota
	more       // a value must follow
	unexpectedEnd
	unexpected
	somethingFollows
	tooDeep
	commaMissing
	nameMissing
	colonMissing
	badEscape
	controlCharacter
)

// bad is f, unless the text has ended.
func (d *Doc) bad(f fault) fault {
	if d.at >= len(d.text) {
		return unexpectedEnd
	}
	return f
}

func (f fault) text() string {
	switch f {
	case unexpectedEnd:
		return "the text ends too early"
	case somethingFollows:
		return "something follows the value"
	case tooDeep:
		return "it is nested deeper than 1024 levels"
	case commaMissing:
		return "a comma or the end of an object or array is missing"
	case nameMissing:
		return "a member's name must be a string"
	case colonMissing:
		return "a colon is missing"
	case badEscape:
		return "no valid escape"
	case controlCharacter:
		return "a control character in a string"
	default:
		return "unexpected character"
	}
}
