package registry

import (
	"errors"
	"fmt"
	"path/filepath"

	"sluice/gateway/dirlock"
)

// lockDir keeps a second process out of a folder.
func lockDir(root string) (*dirlock.Lock, error) {
	path := filepath.Join(root, "lock")
	l, err := dirlock.Take(path, 0o600)
	if held, ok := errors.AsType[*dirlock.HeldError](err); ok {
		return nil, errorf(ErrInUse, "the folder %s is in use by another gateway%s: stop it, or take another folder", root, held.By)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	_ = l.Sign() // only for the message above, and a full disk must not prevent a start
	return l, nil
}
