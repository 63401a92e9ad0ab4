package modules_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/modules"
)

func TestNames(t *testing.T) {
	want := []string{
		"ack-audit", "json-field-key", "redact", "region-partitioner", "salt-hot-keys", "sample", "schema-guard", "trace-headers",
	}
	if diff := cmp.Diff(want, modules.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestUnknownName(t *testing.T) {
	for _, name := range []string{"redakt", "", ".", "redact/main.go", "../guest-sdk"} {
		_, err := modules.Source(name)
		if err == nil || !strings.Contains(err.Error(), "there are ack-audit, ") {
			t.Errorf("Source(%q): %v", name, err)
		}
	}
}

// TestSource: what is embedded is what stands there, and says what a reader needs.
func TestSource(t *testing.T) {
	for _, name := range modules.Names() {
		source, err := modules.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"main.go", "README.md"} {
			got, err := fs.ReadFile(source, file)
			if err != nil {
				t.Fatal(err)
			}
			if want, err := os.ReadFile(filepath.Join(name, file)); err != nil || string(got) != string(want) {
				t.Errorf("%s/%s is not what is embedded (%v)", name, file, err)
			}
		}
		readme, _ := fs.ReadFile(source, "README.md")
		for _, part := range []string{"## Configuration", "```toml", "## Bad input", "on_error"} {
			if !strings.Contains(string(readme), part) {
				t.Errorf("%s/README.md has no %q", name, part)
			}
		}
	}
}

// TestBuild builds each module for WebAssembly and looks at what it exports, which says what it is.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("eight compilations")
	}
	every := []string{"_initialize", "close", "configure", "memory", "sluice_abi_v1", "sluice_alloc"}
	hooks := map[string][]string{
		"ack-audit":          {"on_ack", "on_send"},
		"region-partitioner": {"partition"},
	}
	for _, name := range modules.Names() {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), name+".wasm")
			build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./"+name)
			build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
			if text, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			wasm, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{}
			for _, e := range every {
				want[e] = true
			}
			mine := hooks[name]
			if mine == nil {
				mine = []string{"on_send"}
			}
			for _, e := range mine {
				want[e] = true
			}
			if diff := cmp.Diff(want, exports(t, wasm)); diff != "" {
				t.Errorf("exports (-want +got):\n%s", diff)
			}
			t.Logf("%d bytes", len(wasm))
		})
	}
}

// exports is the names in the export section (id 7) of a module.
func exports(t *testing.T, wasm []byte) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for wasm = wasm[8:]; len(wasm) > 0; {
		id := wasm[0]
		size, rest := leb(wasm[1:])
		section := rest[:size]
		wasm = rest[size:]
		if id != 7 {
			continue
		}
		n, section := leb(section)
		for range n {
			var length uint32
			length, section = leb(section)
			names[string(section[:length])] = true
			_, section = leb(section[length+1:]) // behind the kind
		}
	}
	return names
}

func leb(b []byte) (n uint32, rest []byte) {
	for i := 0; ; i++ {
		n |= uint32(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n, b[i+1:]
		}
	}
}
