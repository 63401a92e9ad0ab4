package memory

import "unsafe"

// baseOf is the address of p. Go's garbage collector does not move what it has allocated.
func baseOf(p []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) }
