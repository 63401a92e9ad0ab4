//go:build !unix

package toolchain

import "os/exec"

// ownGroup does nothing where there are no process groups: what cmd started ends by itself.
func ownGroup(*exec.Cmd) {}
