// Package toolchain turns a folder of source into a WebAssembly module with the compiler of its own language, and writes the
// folder that an author begins with.
//
// [Build] and [BuildFS] keep what they built by content: the sources, the compiler's version and its flags make a key, so a
// second start of the gateway compiles nothing and a change of any file that is compiled, also of one outside the folder,
// compiles again. Nothing is ever written into the folder of the sources. Compilers get a small environment: what a user has
// set for other builds, GOFLAGS or RUSTFLAGS or a proxy's password, neither changes a module nor reaches a build script.
//
// The package runs compilers; it does not look at what they make. wasmhost does.
package toolchain
