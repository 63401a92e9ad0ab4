package sdktest

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// layout is the integer constants of guest-sdk/abi.
func layout(t *testing.T) map[string]int64 {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "../abi/layout.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := new(types.Config).Check("abi", fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok || c.Val().Kind() != constant.Int {
			continue
		}
		if found[name], ok = constant.Int64Val(c.Val()); !ok {
			t.Fatalf("%s = %s does not fit 64 bits", name, c.Val())
		}
	}
	if len(found) < 50 {
		t.Fatalf("only %d constants in guest-sdk/abi", len(found))
	}
	return found
}

// upper writes a Go name as the other SDKs do: HdrNTopics is HDR_N_TOPICS.
func upper(name string) string {
	name = regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "${1}_${2}")
	return strings.ToUpper(regexp.MustCompile(`([A-Z])([A-Z][a-z])`).ReplaceAllString(name, "${1}_${2}"))
}

func TestLayout(t *testing.T) {
	want := layout(t)
	for _, sdk := range []struct{ file, constants, levels string }{
		{"../c/sluice.h", `SLUICE_([A-Z0-9_]+) = (-?[0-9a-fx]+)`, `SLUICE_(TRACE|DEBUG|INFO|WARN|ERROR) = (\d)`},
		{"../rust/sluice.rs", `pub const ([A-Z0-9_]+): \w+ = (-?[0-9a-fx]+);`, `\b(Trace|Debug|Info|Warn|Error) = (\d)`},
		{"../assemblyscript/sluice.ts", `const ([A-Z0-9_]+): \w+ = (-?[0-9a-fx]+);`, `\b(Trace|Debug|Info|Warn|Error) = (\d)`},
	} {
		source, err := os.ReadFile(sdk.file)
		if err != nil {
			t.Fatal(err)
		}
		constants, levels := numbers(t, source, sdk.constants), numbers(t, source, sdk.levels)
		for name, value := range want {
			got, key := constants, upper(name)
			if level, ok := strings.CutPrefix(name, "Level"); ok {
				got, key = levels, strings.ToUpper(level)
			}
			n, ok := got[key]
			switch {
			case strings.HasSuffix(name, "Reserved"):
			case !ok:
				t.Errorf("%s has no %s (abi.%s)", sdk.file, key, name)
			case n != value:
				t.Errorf("%s: %s = %d, but abi.%s = %d", sdk.file, key, n, name, value)
			}
		}
	}
}

// numbers is what pattern, of a name and a number, finds in source; a name that is there twice must mean the same.
func numbers(t *testing.T, source []byte, pattern string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(source, -1) {
		name := strings.ToUpper(string(m[1]))
		n, err := strconv.ParseInt(string(m[2]), 0, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if before, ok := found[name]; ok && before != n {
			t.Fatalf("%s is %d and %d", name, before, n)
		}
		found[name] = n
	}
	return found
}
