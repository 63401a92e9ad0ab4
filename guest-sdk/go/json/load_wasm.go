package json

import "unsafe"

// load is the eight bytes at at, the first one lowest: one instruction in WebAssembly, which need not be aligned.
func load(doc []byte, at int) uint64 { return *(*uint64)(unsafe.Pointer(&doc[at])) }
