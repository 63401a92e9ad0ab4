package toolchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// cargoEnvironment gives a crate that cargo builds the flags of one that rustc builds, whatever its profile says.
var cargoEnvironment = []string{ //nolint:gochecknoglobals // a table that is only read
	"CARGO_PROFILE_RELEASE_OPT_LEVEL=3", "CARGO_PROFILE_RELEASE_PANIC=abort", "CARGO_PROFILE_RELEASE_LTO=fat",
	"CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1", "CARGO_PROFILE_RELEASE_STRIP=debuginfo",
}

func (c *rustCompiler) cargoProgram() program {
	return program{path: c.cargo, env: append([]string{"RUSTC=" + c.path, "CARGO_TERM_COLOR=never"}, cargoEnvironment...)}
}

// cargoSources are all files of the crates that are folders on this machine; Cargo.lock pins the others.
func (c *rustCompiler) cargoSources(ctx context.Context) ([]string, error) {
	out, err := c.cargoProgram().run(ctx, c.dir, "metadata", "--format-version=1", "--locked", "--filter-platform="+rustTarget)
	if err != nil {
		return nil, compileError(err, Rust, c.dir, rustHints)
	}
	var metadata struct {
		Packages []struct {
			Source       *string
			ManifestPath string `json:"manifest_path"`
		}
		WorkspaceRoot string `json:"workspace_root"`
	}
	if err := json.Unmarshal(out, &metadata); err != nil {
		return nil, err
	}
	files := []string{filepath.Join(metadata.WorkspaceRoot, "Cargo.lock"), filepath.Join(metadata.WorkspaceRoot, "Cargo.toml")}
	for _, p := range metadata.Packages {
		if p.Source != nil {
			continue
		}
		dir := filepath.Dir(p.ManifestPath)
		err := walk(dir, func(path string, _ fs.DirEntry) error {
			files = append(files, filepath.Join(dir, path))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (c *rustCompiler) cargoBuild(ctx context.Context, out string) error {
	target := filepath.Join(filepath.Dir(out), "target")
	_, err := c.cargoProgram().run(ctx, c.dir, "build", "--lib", "--release", "--locked", "--target="+rustTarget,
		"--target-dir="+target, "--message-format=short", "--quiet")
	if err != nil {
		return compileError(err, Rust, c.dir, rustHints)
	}
	release := filepath.Join(target, rustTarget, "release")
	built, err := list(release, "*.wasm")
	if err != nil {
		return err
	}
	if len(built) != 1 {
		return errors.New(`cargo made no module: Cargo.toml needs [lib] crate-type = ["cdylib"]`)
	}
	return os.Rename(filepath.Join(release, built[0]), out)
}

// manifest is what matters of a Cargo.toml when cargo does not run.
type manifest struct {
	edition, root string
	dependencies  bool
}

// readManifest reads Cargo.toml line by line, which is enough for the few keys; a crate that needs more of TOML has
// dependencies, and then cargo reads it. A file that is not there is an empty one.
func readManifest(path string) (manifest, error) {
	m := manifest{edition: "2021"}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	} else if err != nil {
		return m, err
	}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[] ")
			m.dependencies = m.dependencies || strings.Contains(section, "dependencies.") && !strings.HasPrefix(section, "dev-")
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		value, _, _ = strings.Cut(value, "#")
		m.set(section, strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"'`))
	}
	if m.edition != "2015" && m.edition != "2018" && m.edition != "2021" && m.edition != "2024" {
		return m, fmt.Errorf("%s: edition %q is none of Rust's", path, m.edition)
	}
	return m, nil
}

// set takes one line; a dependency is a key in a section of them, or a section of its own.
func (m *manifest) set(section, key, value string) {
	switch {
	case strings.HasSuffix(section, "dependencies") && !strings.HasPrefix(section, "dev-"):
		m.dependencies = true
	case section == "package" && key == "edition":
		m.edition = value
	case section == "package" && (key == "build" || key == "workspace"), section == "features":
		m.dependencies = true // not a dependency, but work for cargo
	case section == "lib" && key == "path":
		m.root = value
	}
}
