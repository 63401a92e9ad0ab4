package toolchain

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrerequisites(t *testing.T) {
	for rules, want := range map[string][]string{
		"a.o: a.c":                                               {"a.c"},
		"a.o: a.c \\\n  b.h c.h\nd.o: d.c\n":                     {"a.c", "b.h", "c.h", "d.c"},
		"a.o: a.c \\\r\n  b.h\r\n":                               {"a.c", "b.h"},
		"a.o: with\\ blank.h a\\#b $$c":                          {"with blank.h", "a#b", "$c"},
		"out.d: a.rs b.rs\n\na.rs:\n\nb.rs:\n\n# env-dep:X: y\n": {"a.rs", "b.rs"},
		`a.o: C:\x\y.h`:                                          {`C:\x\y.h`},
		"":                                                       nil,
		"nonsense":                                               nil,
	} {
		if got := prerequisites(rules); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", rules, got, want)
		}
	}
}

func FuzzPrerequisites(f *testing.F) {
	f.Add("a.o: a.c \\\n with\\ blank.h $$c\n")
	f.Fuzz(func(t *testing.T, rules string) {
		for _, name := range prerequisites(rules) {
			if name == "" {
				t.Error("an empty name")
			}
		}
	})
}

// FuzzPrerequisitesBack writes names as clang does.
func FuzzPrerequisitesBack(f *testing.F) {
	f.Add("with blank.h", "a#b$c")
	f.Fuzz(func(t *testing.T, a, b string) {
		names := []string{a, b}
		for i, n := range names {
			if n == "" || strings.ContainsAny(n, "\\\n\r\t\v\f\u0085\u00a0:") || strings.TrimSpace(n) != n {
				t.Skip("no name of a file that clang writes like this")
			}
			names[i] = strings.NewReplacer(" ", `\ `, "#", `\#`, "$", "$$").Replace(n)
		}
		if diff := cmp.Diff([]string{a, b}, prerequisites("out: "+strings.Join(names, " \\\n "))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestManifest(t *testing.T) {
	for text, want := range map[string]manifest{
		"": {"2021", "", false},
		"[package]\nname = \"a-b.c\" # x\nedition = '2018'\n\n[lib]\ncrate-type = [\"cdylib\"]\npath = \"x/y.rs\"\n\n[dependencies]\n# none\n": {"2018", "x/y.rs", false},
		"[dependencies]\nserde = \"1\"\n":                       {"2021", "", true},
		"[dependencies.serde]\nversion = \"1\"\n":               {"2021", "", true},
		"[target.'cfg(unix)'.dependencies]\nserde = \"1\"\n":    {"2021", "", true},
		"[build-dependencies]\ncc = \"1\"\n":                    {"2021", "", true},
		"[package]\nbuild = \"build.rs\"\n":                     {"2021", "", true},
		"[features]\na = []\n":                                  {"2021", "", true},
		"[dev-dependencies]\nx = \"1\"\n[dev-dependencies.y]\n": {"2021", "", false},
	} {
		got, err := readManifest(folder(t, map[string]string{"Cargo.toml": text}) + "/Cargo.toml")
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add("[package]\nname = \"a-b\" # x\nedition = '2018'\n[lib]\npath = \"x\"\n[dependencies]\na = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := t.TempDir() + "/Cargo.toml"
		save(t, path, text)
		m, err := readManifest(path)
		if err == nil && (len(m.edition) != 4 || strings.Contains(m.root, "\n")) {
			t.Errorf("%+v", m)
		}
	})
}
