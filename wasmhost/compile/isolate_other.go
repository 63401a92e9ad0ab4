//go:build !unix

package compile

import (
	"os"
	"os/exec"
)

// isolate leaves the child as it is: without process groups only the child itself is killed when its time is up, and it
// has no children.
func isolate(*exec.Cmd) {}

func killed(*os.ProcessState) bool { return false }
