package meter

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// header checks the first eight bytes; for what is no core module it says what it seems to be. "" means all is well.
func header(b []byte) string {
	const magic = "\x00asm"
	switch {
	case len(b) == 0:
		return "the upload is empty"
	case !bytes.HasPrefix(b, []byte(magic)):
		return "this is not WebAssembly: it begins with " + describe(b)
	case len(b) < 8:
		return "it breaks off in its header"
	}
	version, layer := binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:])
	switch {
	case layer == 1:
		return "this is a WebAssembly component; only core modules run here. Build for wasm32-wasip1 or wasm32-unknown-unknown " +
			"instead of wasm32-wasip2, and leave out wasm-tools component new, cargo component, jco and componentize"
	case version != 1 || layer != 0:
		return "its version is not 1, the only one there is"
	}
	return ""
}

// describe says what the beginning of a file looks like.
func describe(b []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"\x1f\x8b", "the header of gzip; upload it unpacked"},
		{"\x28\xb5\x2f\xfd", "the header of zstd; upload it unpacked"},
		{"PK\x03\x04", "the header of a zip archive; upload the .wasm file in it"},
		{"\x7fELF", "the header of an ELF file: native code; build for WebAssembly (GOOS=wasip1 GOARCH=wasm, clang --target=wasm32)"},
		{"MZ", "the header of a Windows program; build for WebAssembly (GOOS=wasip1 GOARCH=wasm, clang --target=wasm32)"},
		{"\xcf\xfa\xed\xfe", "the header of a macOS program; build for WebAssembly (GOOS=wasip1 GOARCH=wasm, clang --target=wasm32)"},
		{"!<arch>", "the header of an archive of object files; link it into a module"},
		{"BC\xc0\xde", "the header of LLVM bitcode; link it into a module"},
		{"<", "markup, perhaps an error page that was saved as a module"},
		{"{", "JSON"},
	} {
		if bytes.HasPrefix(b, []byte(f.magic)) {
			return f.name
		}
	}
	text := bytes.TrimSpace(b[:min(len(b), 64)])
	if bytes.HasPrefix(text, []byte("(")) || bytes.HasPrefix(text, []byte(";;")) {
		return "text, perhaps of the WebAssembly text format; turn it into a module with wat2wasm"
	}
	if utf8.Valid(text) && !bytes.ContainsRune(text, 0) {
		return "text; upload the built module, not its source"
	}
	return "bytes that no module begins with"
}
