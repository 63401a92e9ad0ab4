// Package memory is the guest's side of the linear memory that it shares with the host: the input, which the host writes
// into, and the room, in which everything stands that the guest gives back. Both are reused from call to call.
//
// An address is a 32-bit number, as in the ABI. In WebAssembly it is the real one. Elsewhere it is made up, so that the
// same code runs in native tests on machines whose pointers are longer.
package memory
