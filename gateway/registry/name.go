package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	maxName  = 64  // bytes of a module's name
	maxTopic = 249 // Kafka's longest topic name (org.apache.kafka.common.internals.Topic)

	lowerDigits = "abcdefghijklmnopqrstuvwxyz0123456789"
	topicChars  = lowerDigits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-"
)

// ID returns the id of a version: the SHA-256 of its bytes as uploaded, in lower-case hex.
func ID(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return hex.EncodeToString(sum[:])
}

// Short is as much of a version's id as is shown: enough for a person to tell it, and for the admin API to find it.
func Short(id string) string { return id[:min(len(id), 12)] }

func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.Trim(name[:1], lowerDigits) != "" || !only(name, lowerDigits+"._-") {
		return errorf(ErrInvalid, "module name %q: a name is 1 to %d of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit",
			shown(name), maxName)
	}
	return nil
}

func checkID(id string) error {
	if len(id) != 2*sha256.Size || !only(id, "0123456789abcdef") {
		return errorf(ErrInvalid, "version %q: a version's id is the SHA-256 of its bytes, 64 lower-case hex digits", shown(id))
	}
	return nil
}

// checkTopic is Kafka's rule for topic names; field says in whose value the name stands.
func checkTopic(field, topic string) error {
	switch {
	case topic == "" || topic == "." || topic == "..":
		return errorf(ErrInvalid, `%s %q: a topic's name must not be empty, "." or ".."`, field, topic)
	case len(topic) > maxTopic:
		return errorf(ErrInvalid, "%s %q: a topic's name has at most %d characters, not %d", field, shown(topic), maxTopic, len(topic))
	case !only(topic, topicChars):
		return errorf(ErrInvalid, "%s %q: a topic's name consists of ASCII letters, digits, '.', '_' and '-'", field, topic)
	}
	return nil
}

// checkGlob is checkTopic for a name in which '*' stands for any characters.
func checkGlob(field, glob string) error {
	if literal := strings.ReplaceAll(glob, "*", "x"); checkTopic(field, literal) != nil {
		return errorf(ErrInvalid, "%s %q: must be a topic's name: 1 to %d ASCII letters, digits, '.', '_' and '-'; '*' makes it a glob",
			field, shown(glob), maxTopic)
	}
	return nil
}

// only says whether s has no byte that is not in allowed.
func only(s, allowed string) bool {
	for i := range len(s) {
		if strings.IndexByte(allowed, s[i]) < 0 {
			return false
		}
	}
	return true
}

// shown cuts a value that was refused, so that an error stays readable.
func shown(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
