package wasmhost

import (
	"fmt"
	"slices"
	"strings"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost/meter"
)

// export is a function that the contract knows.
type export struct {
	name, typ string
	required  bool
}

var exports = []export{ //nolint:gochecknoglobals // a table that is only read
	{abi.Marker, "() -> ()", true},
	{abi.Alloc, "(i32) -> i32", true},
	{"_initialize", "() -> ()", false},
	{"configure", "(i32, i32) -> i32", false},
	{"partition", "(i32, i32) -> i32", false},
	{"on_send", "(i32, i32) -> i32", false},
	{"on_ack", "(i32, i32) -> i32", false},
	{"close", "() -> i32", false},
}

func exportsOf(info *meter.Info) map[string]meter.Export {
	all := make(map[string]meter.Export, len(info.Exports))
	for _, e := range info.Exports {
		all[e.Name] = e
	}
	return all
}

func kindsOf(info *meter.Info) Kinds {
	all := exportsOf(info)
	has := func(name string) bool { _, ok := all[name]; return ok }
	if isTransform(info) {
		return Kinds{Transform: true}
	}
	return Kinds{Partition: has("partition"), OnSend: has("on_send"), OnAck: has("on_ack")}
}

// checkContract says what keeps a module from being a guest, everything at once.
func checkContract(info *meter.Info) []meter.Problem {
	problems := checkImports(info)
	all := exportsOf(info)
	if m, ok := all["memory"]; !ok || m.Kind != meter.KindMemory {
		problems = append(problems, meter.Problem{Rule: "export", Message: `the memory is not exported as "memory"`})
	}
	if importsTransform(info) {
		return append(problems, checkTransform(info)...)
	}
	for _, want := range exports {
		got, ok := all[want.name]
		switch {
		case !ok && want.required:
			problems = append(problems, meter.Problem{Rule: "export", Message: fmt.Sprintf("%s: %s is not exported%s", want.name, want.typ, hint(want.name, all))})
		case ok && (got.Kind != meter.KindFunction || got.Type.String() != want.typ):
			problems = append(problems, meter.Problem{Rule: "signature", Message: fmt.Sprintf("%s is exported as %s; it has to be %s", want.name, describe(got), want.typ)})
		}
	}
	if k := kindsOf(info); !k.Partition && !k.Interceptor() {
		problems = append(problems, meter.Problem{Rule: "export", Message: "it exports none of partition, on_send and on_ack, so there is nothing to call"})
	}
	if _, ok := all["_start"]; ok {
		if _, reactor := all["_initialize"]; !reactor {
			problems = append(problems, meter.Problem{Rule: "command", Message: "it is a command (it exports _start), which ends itself when it has run; build a library: Go -buildmode=c-shared, clang -mexec-model=reactor, Rust crate-type cdylib"})
		}
	}
	return problems
}

func describe(e meter.Export) string {
	if e.Kind != meter.KindFunction {
		return "something that is not a function"
	}
	return e.Type.String()
}

func hint(name string, all map[string]meter.Export) string {
	if _, ok := all["_start"]; ok && name == abi.Marker {
		return " (if this is a Go program: build it with -buildmode=c-shared)"
	}
	return ""
}

// checkImports names everything that a module imports and no host function gives.
func checkImports(info *meter.Info) []meter.Problem {
	var problems []meter.Problem
	types := importTypes()
	for _, i := range info.Imports {
		if i.Kind != meter.KindFunction {
			problems = append(problems, meter.Problem{Rule: "import", Message: fmt.Sprintf("%s.%s: only functions may be imported", i.Module, i.Name)})
			continue
		}
		want, ok := types[i.Module+"."+i.Name]
		switch {
		case !ok:
			problems = append(problems, meter.Problem{Rule: "import", Message: fmt.Sprintf("%s.%s: %s is not offered; there are %s", i.Module, i.Name, i.Type, strings.Join(importModules(), ", "))})
		case want != i.Type.String():
			problems = append(problems, meter.Problem{Rule: "import", Message: fmt.Sprintf("%s.%s is imported as %s; it is %s", i.Module, i.Name, i.Type, want)})
		}
	}
	return problems
}

// warnings are about what is allowed and probably not meant.
func warnings(info *meter.Info) []string {
	var w []string
	needsInit := slices.ContainsFunc(info.Imports, func(i meter.Import) bool { return i.Module == "wasi_snapshot_preview1" })
	if _, ok := exportsOf(info)["_initialize"]; needsInit && !ok && !isTransform(info) {
		w = append(w, "it imports WASI but exports no _initialize: a language with a runtime of its own will not be initialised")
	}
	return w
}
