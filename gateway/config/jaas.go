package config

import (
	"errors"
	"strings"
)

// login is what a sasl.jaas.config says.
type login struct {
	scram          bool
	user, password string
}

var errJAAS = errors.New(`must be: org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="...";`)

// parseJAAS reads the form of sasl.jaas.config (KIP-85): a login module, a control flag, options, a semicolon. Its
// errors hold no part of the text, which is a secret.
func parseJAAS(text string) (login, error) {
	tokens, err := jaasTokens(text)
	if err != nil {
		return login{}, err
	}
	if len(tokens) < 3 || tokens[len(tokens)-1] != ";" {
		return login{}, errJAAS
	}
	var out login
	switch tokens[0] {
	case "org.apache.kafka.common.security.plain.PlainLoginModule":
	case "org.apache.kafka.common.security.scram.ScramLoginModule":
		out.scram = true
	default:
		return login{}, errors.New("must have the login module PlainLoginModule or ScramLoginModule of org.apache.kafka.common.security")
	}
	if !isFlag(tokens[1]) {
		return login{}, errJAAS
	}
	for _, option := range tokens[2 : len(tokens)-1] {
		name, value, ok := strings.Cut(option, "=")
		switch {
		case !ok:
			return login{}, errJAAS
		case name == "username":
			out.user = value
		case name == "password":
			out.password = value
		default:
			return login{}, errors.New("has an option that is not supported; username and password are")
		}
	}
	if out.user == "" || out.password == "" {
		return login{}, errors.New("must have username and password")
	}
	return out, nil
}

func isFlag(token string) bool {
	switch strings.ToLower(token) {
	case "required", "requisite", "sufficient", "optional":
		return true
	}
	return false
}

// jaasTokens splits at white space and semicolons, but not within quotes; quotes are taken away, and a backslash within
// them keeps the next character.
func jaasTokens(text string) ([]string, error) {
	var tokens []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			tokens = append(tokens, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n':
			flush()
		case ';':
			flush()
			tokens = append(tokens, ";")
		case '"', '\'':
			value, n := jaasQuoted(text[i+1:], c)
			if n < 0 {
				return nil, errors.New("has a quote that is not closed")
			}
			word.WriteString(value)
			i += n
		default:
			word.WriteByte(c)
		}
	}
	flush()
	return tokens, nil
}

// jaasQuoted returns what stands before the closing quote, and how long it is with it; -1 if there is none.
func jaasQuoted(text string, quote byte) (string, int) {
	var value strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return value.String(), i + 1
		case text[i] == '\\' && i+1 < len(text):
			i++
			value.WriteByte(text[i])
		default:
			value.WriteByte(text[i])
		}
	}
	return "", -1
}
