// Package compile turns an uploaded module into metered bytes and machine code, in a child process of the same binary
// with limits of its own, and keeps both on disk, so that a module is compiled once and not at every start.
//
// The one who serves makes a wazero.Runtime of Compiler.RuntimeConfig, calls Compile, and gives Result.Metered to
// Runtime.CompileModule, which finds the machine code and compiles nothing. DESIGN.md tells the way of an upload through
// the files, and what may go wrong.
package compile
