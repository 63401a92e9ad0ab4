package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"sluice/wasmhost/meter"
)

// A rewriter that makes something else needs another Version, or old caches go on serving what the old one made.
func TestVersionChangesWithTheRewriter(t *testing.T) {
	const version, want = "2", "0366302dce9245d0"
	// A loop, a call, a table and a memory, so that most of what the rewriter does takes part.
	wasm := []byte{
		0, 'a', 's', 'm', 1, 0, 0, 0,
		1, 5, 1, 0x60, 0, 1, 0x7f,
		3, 3, 2, 0, 0,
		4, 4, 1, 0x70, 0, 1,
		5, 3, 1, 0, 1,
		7, 5, 1, 1, 'f', 0, 0,
		10, 28, 2,
		21, 1, 1, 0x7f, // f, with a local: counts up to 10 and calls the other
		0x03, 0x40, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x41, 10, 0x48, 0x0d, 0, 0x0b,
		0x10, 1, 0x0b,
		4, 0, 0x41, 7, 0x0b,
	}
	metered, _, err := meter.Rewrite(wasm, meter.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(metered)
	if got := hex.EncodeToString(sum[:8]); got != want || Version != version {
		t.Errorf("Version %s, metered module %s; if %s is new, raise Version and write both down here", Version, got, want)
	}
}
