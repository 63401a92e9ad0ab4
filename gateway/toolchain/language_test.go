package toolchain

import (
	"testing"
)

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		want  Language
		files []string
	}{
		{Go, []string{"go.mod", "main.go"}},
		{Go, []string{"main.go"}},
		{Go, []string{"go.mod", "Cargo.toml", "a.c"}},
		{C, []string{"main.c", "sluice.h"}},
		{Rust, []string{"Cargo.toml", "src/lib.rs"}},
		{Rust, []string{"src/lib.rs"}},
		{Rust, []string{"module.rs", "fast.c"}},
		{AssemblyScript, []string{"asconfig.json"}},
		{AssemblyScript, []string{"package.json", "assembly/index.ts"}},
		{AssemblyScript, []string{"index.ts"}},
		{AssemblyScript, []string{"assembly/index.ts"}},
		{C, []string{"package.json", "main.c"}}, // it may be there for a formatter
		{"", []string{"README.md"}},
		{"", []string{"node_modules/x.ts"}},
		{"", []string{"main.go/in"}}, // a folder of that name
	} {
		files := map[string]string{}
		for _, name := range c.files {
			files[name] = "x"
		}
		got, err := Detect(folder(t, files))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v: %q, %v; want %q", c.files, got, err, c.want)
		}
	}
}

func TestDetectTellsWhatIsWrong(t *testing.T) {
	dir := folder(t, map[string]string{"main.c": ""})
	for path, want := range map[string]string{
		dir + "/nowhere": "no such file",
		dir + "/main.c":  "not a folder",
		t.TempDir():      "*.c (C)",
	} {
		_, err := Detect(path)
		if err == nil {
			t.Fatalf("%s: no error", path)
		}
		contains(t, "the error", err.Error(), path, want)
	}
}

func TestParseLanguage(t *testing.T) {
	for _, l := range Languages() {
		if got, err := ParseLanguage(string(l)); got != l || err != nil {
			t.Errorf("%s: %s, %v", l, got, err)
		}
	}
	_, err := ParseLanguage("cobol")
	if err == nil {
		t.Fatal("cobol is known")
	}
	contains(t, "the error", err.Error(), `"cobol"`, "go, c, rust, assemblyscript")
}
