package compile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// A frame is how the parent, the child and the files in the cache wrap bytes: a line that says what it is, the size of the
// head (4 bytes, big endian), the head (JSON), the body (all the rest but 32 bytes), SHA-256 of all that. There is no size
// to believe but the head's, and that must fit into what is there.
const (
	headSizeBytes = 4
	sumBytes      = sha256.Size
)

var (
	errNotFrame = errors.New("it does not begin as it should")
	errTorn     = errors.New("it is cut short or altered")
	errNoInfo   = errors.New("it does not describe the module")
)

// frame wraps body.
func frame(kind string, head any, body []byte) ([]byte, error) {
	h, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(kind)+headSizeBytes+len(h)+len(body)+sumBytes)
	b = append(b, kind...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(h)))
	b = append(b, h...)
	b = append(b, body...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

// parseFrame fills head and returns the body, which lies in b.
func parseFrame(kind string, b []byte, head any) ([]byte, error) {
	if !bytes.HasPrefix(b, []byte(kind)) {
		return nil, errNotFrame
	}
	if len(b) < len(kind)+headSizeBytes+sumBytes {
		return nil, errTorn
	}
	content, sum := b[:len(b)-sumBytes], b[len(b)-sumBytes:]
	if got := sha256.Sum256(content); !bytes.Equal(got[:], sum) {
		return nil, errTorn
	}
	rest := content[len(kind):]
	size := binary.BigEndian.Uint32(rest)
	rest = rest[headSizeBytes:]
	if uint64(size) > uint64(len(rest)) {
		return nil, fmt.Errorf("a head of %d bytes in %d bytes", size, len(rest))
	}
	if err := json.Unmarshal(rest[:size], head); err != nil {
		return nil, fmt.Errorf("its head: %w", err)
	}
	return rest[size:], nil
}
