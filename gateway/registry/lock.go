package registry

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// errLocked is what lockFile returns when another process holds the lock.
var errLocked = errors.New("locked by another process")

// lockDir keeps a second process out of a folder. The system releases the lock when the process ends, however it ends.
func lockDir(root string) (*os.File, error) {
	path := filepath.Join(root, "lock")
	f, err := lockFile(path)
	if errors.Is(err, errLocked) {
		return nil, errorf(ErrInUse, "the folder %s is in use by another gateway%s: stop it, or take another folder", root, holder(f))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	// Best effort: it is only for the message above, and a full disk must not prevent a start.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	return f, nil
}

// holder reads who holds the lock, if that can be read, and closes f.
func holder(f *os.File) string {
	if f == nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 20))
	if err != nil || len(b) == 0 {
		return ""
	}
	return " (process " + string(b) + ")"
}
