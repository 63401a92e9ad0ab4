package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Look opens the registry in a folder to find out what would be: it takes no lock, so a gateway may have the folder open, and
// what is changed is changed in memory only. A folder that is not there is an empty registry.
func Look(folder string, o Options) (*Registry, error) {
	s := &overlay{Memory: NewMemory(), below: &dir{root: folder}, gone: map[Key]bool{}}
	if folder == "" {
		return New(s.Memory, o)
	}
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return New(s.Memory, o)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: folder, Err: errors.New("it is not a folder")}
	}
	return New(s, o)
}

// overlay is a Store that reads a folder and keeps in memory what is written.
type overlay struct {
	*Memory

	below *dir

	mu   sync.Mutex // of gone
	gone map[Key]bool
}

func (s *overlay) isGone(k Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone[k]
}

// List implements Store.
func (s *overlay) List() ([]Entry, error) {
	entries, err := s.Memory.List()
	if err != nil {
		return nil, err
	}
	for _, kind := range []Kind{Blobs, Modules, Topics, Meta} {
		below, err := s.below.list(kind)
		if errors.Is(err, fs.ErrNotExist) {
			continue // whoever makes the folder is not done yet
		}
		if err != nil {
			return nil, err
		}
		for _, e := range below {
			if _, _, err := s.Memory.Read(e.Key); err != nil && !s.isGone(e.Key) {
				entries = append(entries, e)
			}
		}
	}
	return entries, nil
}

// Read implements Store.
func (s *overlay) Read(k Key) ([]byte, string, error) {
	if value, where, err := s.Memory.Read(k); err == nil {
		return value, where, nil
	}
	if s.isGone(k) {
		return nil, s.below.path(k), &fs.PathError{Op: "read", Path: filepath.Join(string(k.Kind), k.Name), Err: fs.ErrNotExist}
	}
	return s.below.Read(k)
}

// Write implements Store.
func (s *overlay) Write(k Key, value []byte) error {
	s.mu.Lock()
	s.gone[k] = value == nil
	s.mu.Unlock()
	return s.Memory.Write(k, value)
}
