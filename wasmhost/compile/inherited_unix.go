//go:build unix && !solaris && !illumos && !aix

package compile

import (
	"os"
	"strconv"
	"syscall"
)

// closeInherited closes the open files that whoever started our parent left to it, and it to us. They are those that are
// not closed on exec: the files of Go's runtime, which this process needs, are.
func closeInherited() {
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return // a system without it; the files stay open, and nothing here writes to them
	}
	for _, e := range open {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0); errno == 0 &&
			flags&syscall.FD_CLOEXEC == 0 {
			_ = syscall.Close(fd) // nothing can be done about one that does not close
		}
	}
}
