package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Version is part of the key of everything in the cache. Raise it whenever package meter refuses more, or rewrites
// differently, than before: an old cache would otherwise go on serving what the old code made.
const Version = "2"

// key is the name of a module in the cache: everything that decides what is made of it, hashed. The engine stands for the
// version of wazero, the architecture and the features of this processor.
func (c *Compiler) key(wasm []byte) (string, error) {
	limits, err := json.Marshal(c.opts.Limits)
	if err != nil {
		return "", fmt.Errorf("limits: %w", err)
	}
	module := sha256.Sum256(wasm)
	h := sha256.New()
	// No part can end in another's beginning: all but the last are of fixed length or end at a byte they cannot contain.
	fmt.Fprintf(h, "sluice compile\x00%s\x00%s\x00%x\x00%s", Version, c.engine, module, limits)
	return hex.EncodeToString(h.Sum(nil)), nil
}
