package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/gateway/dirlock"
)

// lockDataDir creates dir if it is missing and keeps a second broker out of it. It returns nil for "", which keeps nothing on
// disk.
func lockDataDir(dir string) (*dirlock.Lock, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("embedded.data.dir: %w", err)
	}
	l, err := dirlock.Take(filepath.Join(dir, "lock"), 0o644)
	if held, ok := errors.AsType[*dirlock.HeldError](err); ok {
		return nil, fmt.Errorf("embedded.data.dir: %s is in use by another broker%s: stop it, or set embedded.data.dir to another folder",
			dir, held.By)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded.data.dir: cannot lock %s: %w", dir, err)
	}
	if err := l.Sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("embedded.data.dir: cannot write to %s: %w", dir, err), l.Release())
	}
	return l, nil
}
