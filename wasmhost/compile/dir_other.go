//go:build !unix

package compile

import (
	"fmt"
	"os"
	"syscall"
)

// private checks that dir is a directory. Who may write to it is not looked at: this system's permissions are no mode.
func private(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("cache directory %s: %w", dir, syscall.ENOTDIR)
	}
	return nil
}

// syncDir does nothing: this system cannot sync a directory.
func syncDir(string) error { return nil }
