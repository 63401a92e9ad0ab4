package toolchain

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
)

func embedded(answer string) Embedded {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: fs.ModePerm} }
	return Embedded{
		Name: "answers",
		Files: fstest.MapFS{
			"main.go":      file("package main\n\nimport sluice \"sluice/guest-sdk/go\"\n\n//go:wasmexport answer\nfunc answer() int32 { return sluice.N + " + answer + " }\n\nfunc main() {}\n"),
			"main_test.go": file("package main\n"),
			"README.md":    file("x"),
		},
		SDK: fstest.MapFS{
			"abi/abi.go":  file("package abi\n\nconst N = 1\n"),
			"go/sdk.go":   file("package sluice\n\nimport \"sluice/guest-sdk/abi\"\n\nconst N = abi.N\n"),
			"rust/lib.rs": file("this is not for Go"),
		},
	}
}

func TestBuildFS(t *testing.T) {
	need(t, Go)
	o := Options{Cache: t.TempDir()}
	first, info, err := BuildFS(t.Context(), embedded("1"), o)
	if err != nil {
		t.Fatal(err)
	}
	if info.Cached || info.Language != Go || info.Took <= 0 || !slices.Contains(exports(t, first), "answer") {
		t.Errorf("first build: %+v", info)
	}
	second, again, err := BuildFS(t.Context(), embedded("1"), o)
	if err != nil || !again.Cached || again.Key != info.Key || !bytes.Equal(first, second) {
		t.Errorf("second build: %+v, %v", again, err)
	}
	other, changed, err := BuildFS(t.Context(), embedded("2"), o)
	if err != nil || changed.Cached || changed.Key == info.Key || bytes.Equal(first, other) {
		t.Errorf("after a change: %+v, %v", changed, err)
	}
}

func TestBuildFSSaysWhatIsWrong(t *testing.T) {
	need(t, Go)
	_, _, err := BuildFS(t.Context(), embedded("x"), Options{})
	if _, ok := errors.AsType[*CompileError](err); !ok {
		t.Errorf("error %v, want a CompileError", err)
	} else {
		contains(t, "the error", err.Error(), "build answers", "main.go:6:", "undefined: x")
	}
	for _, name := range []string{"", ".", "..", "a/b", "/a"} {
		e := embedded("1")
		e.Name = name
		if _, _, err := BuildFS(t.Context(), e, Options{}); err == nil {
			t.Errorf("name %q is taken", name)
		}
	}
}
