package ingest

// equalFold says whether b is s, where s is lower-case ASCII.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range len(s) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

func lower(b []byte) {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}

// trim removes spaces and tabs from both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '\t'); n = len(b) {
		b = b[:n-1]
	}
	return b
}

// formOf chooses the form by media type, parameters aside.
func formOf(contentType []byte) form {
	for i, c := range contentType {
		if c == ';' {
			contentType = contentType[:i]
			break
		}
	}
	switch t := trim(contentType); {
	case len(t) < len("application/jsonl"):
		return formRaw
	case equalFold(t, "application/x-ndjson"), equalFold(t, "application/ndjson"), equalFold(t, "application/jsonl"):
		return formLines
	case equalFold(t, "application/vnd.sluice.records+ndjson"):
		return formEnvelope
	default:
		return formRaw
	}
}
