//go:build !wasm

package json

import "encoding/binary"

// load is the eight bytes at at, the first one lowest.
func load(doc []byte, at int) uint64 { return binary.LittleEndian.Uint64(doc[at:]) }
