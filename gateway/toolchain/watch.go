package toolchain

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"time"
)

// WatchEvery is how often Watch looks.
const WatchEvery = 500 * time.Millisecond

// goneAfter is how many looks in a row find nothing before it is said to be gone.
const goneAfter = 3

// state is what tells that a file was saved.
type state struct {
	size     int64
	modified time.Time
}

// Watch calls changed when a file was saved, in the folder path or path itself, and no further one is: an editor that saves
// three files makes one call. It looks at names, sizes and times every WatchEvery; what a build ignores, it ignores. While
// path cannot be read it waits, having called gone once, unless that is as short as editors need to save. It returns when ctx
// ends, and does not run while changed or gone do.
func Watch(ctx context.Context, path string, changed func(), gone func(error)) {
	ticker := time.NewTicker(WatchEvery)
	defer ticker.Stop()
	settled, _ := scan(path) // what was there when Watch began, or at the last call
	last := settled
	missing := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, err := scan(path)
		if err != nil {
			if missing++; missing == goneAfter {
				gone(err)
			}
			continue
		}
		missing = 0
		if maps.Equal(now, last) && !maps.Equal(now, settled) {
			settled = now
			changed()
		}
		last = now
	}
}

func scan(path string) (map[string]state, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	found := map[string]state{}
	if !info.IsDir() {
		found[path] = state{info.Size(), info.ModTime()}
		return found, nil
	}
	err = walk(path, func(name string, e fs.DirEntry) error {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while we look
		} else if err != nil {
			return err
		}
		found[name] = state{info.Size(), info.ModTime()}
		return nil
	})
	return found, err
}
