//go:build !linux && !darwin

package gateway

// writable says whether this process may make files in a folder, as far as that is known without making one: it is not.
func writable(string) bool { return true }

// freeBytes is how much room this process has on the disk of a folder. It is false if that is not known.
func freeBytes(string) (int64, bool) { return 0, false }
