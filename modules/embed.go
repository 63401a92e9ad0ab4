package modules

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed */*.go */README.md
var files embed.FS

// Names is the names of all modules, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // the root of an embedded file system can always be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Source is the folder of a module: a package main that imports nothing but the standard library and sluice/guest-sdk.
func Source(name string) (fs.FS, error) {
	if names := Names(); !slices.Contains(names, name) {
		return nil, fmt.Errorf("module %q does not come with Sluice: there are %s", name, strings.Join(names, ", "))
	}
	return fs.Sub(files, name)
}
