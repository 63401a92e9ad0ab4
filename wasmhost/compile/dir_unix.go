//go:build unix

package compile

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// private refuses a directory that others can put files into: what lies there is run as machine code.
func private(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("cache directory %s: %w", dir, syscall.ENOTDIR)
	}
	if mode := st.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("cache directory %s: its mode %04o lets others write to it, and it holds machine code "+
			"that this process runs; chmod 0700 it after a look into it, or name another", dir, mode)
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); !ok || int(sys.Uid) != os.Geteuid() {
		return fmt.Errorf("cache directory %s: it belongs to another user, and it holds machine code that this "+
			"process runs; name another", dir)
	}
	return nil
}

// syncDir makes a rename in dir last. Some file systems cannot and say so.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
