package sdktest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"

	"sluice/guest-sdk/abi"
)

// TestExports holds every module to exactly what its hooks are, as the exports decide what it is.
func TestExports(t *testing.T) {
	for source, hooks := range map[string]string{
		"example/router":              "configure partition",
		"example/stamp":               "configure on_send",
		"conformance/conformance":     "close configure on_ack on_send partition",
		"../sdktest/testdata/murmur2": "partition",
	} {
		t.Run(source, func(t *testing.T) {
			for _, l := range languages {
				t.Run(l.dir, func(t *testing.T) { checkExports(t, l, build(t, l, source), strings.Fields(hooks)) })
			}
		})
	}
}

func checkExports(t *testing.T, l *language, wasm []byte, hooks []string) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer func() { _ = r.Close(ctx) }()
	m, err := r.CompileModule(ctx, wasm)
	if err != nil {
		t.Fatal(err)
	}
	want := append([]string{abi.Marker + "() 0", abi.Alloc + "(i32) 1"}, signatures(hooks)...)
	if l.dir != "c" {
		want = append(want, "_initialize() 0")
	}
	var got []string
	for name, f := range m.ExportedFunctions() {
		types := make([]string, len(f.ParamTypes()))
		for i := range types {
			types[i] = "i32"
			if f.ParamTypes()[i] != 0x7f {
				types[i] = "?"
			}
		}
		got = append(got, name+"("+strings.Join(types, ",")+") "+string(rune('0'+len(f.ResultTypes()))))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exported functions (-want +got):\n%s", diff)
	}
	if _, ok := m.ExportedMemories()["memory"]; !ok || len(m.ExportedMemories()) != 1 {
		t.Errorf("exported memories: %v", m.ExportedMemories())
	}
	for _, f := range m.ImportedFunctions() {
		from, name, _ := f.Import()
		ours := from == abi.Module && slices.Contains([]string{"log", "record_error", "counter_add", "now_ms"}, name)
		if !ours && (l.dir != "assemblyscript" || from != "env" || name != "abort") {
			t.Errorf("imports %s.%s", from, name)
		}
	}
}

func signatures(hooks []string) []string {
	out := make([]string, 0, len(hooks))
	for _, h := range hooks {
		if h == "close" {
			out = append(out, "close() 1")
			continue
		}
		out = append(out, h+"(i32,i32) 1")
	}
	return out
}
