//go:build linux || darwin

package gateway

import "syscall"

// writable says whether this process may make files in a folder, as far as that is known without making one.
func writable(dir string) bool {
	const write, search = 2, 1 // W_OK and X_OK of access(2)
	return syscall.Access(dir, write|search) == nil
}

// freeBytes is how much room this process has on the disk of a folder. It is false if that is not known.
func freeBytes(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // the types are others on other systems
}
