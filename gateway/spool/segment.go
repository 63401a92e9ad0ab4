package spool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	segmentSuffix = ".seg"
	damagedSuffix = ".damaged"
	filePerm      = 0o600
)

// segment is one file of entries. Of the one that is written to, end and size grow under Spool.mu.
type segment struct {
	path    string
	first   uint64 // number of its first entry
	end     uint64 // behind its last
	size    int64  // bytes that hold entries
	damaged bool   // something in it cannot be read
}

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", first, segmentSuffix))
}

// segmentFiles finds the segments of a folder, by the number of their first entries. Their ends are where the next one begins;
// that of the last is not known.
func segmentFiles(dir string) ([]*segment, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []*segment
	for _, f := range files {
		number, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		first, bad := strconv.ParseUint(number, 10, 64)
		if !ok || bad != nil {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, &segment{path: filepath.Join(dir, f.Name()), first: first, end: first, size: info.Size()})
	}
	slices.SortFunc(all, func(a, b *segment) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	for i, s := range all[:max(len(all)-1, 0)] {
		s.end = all[i+1].first
	}
	return all, nil
}

// scan reads the last segment and finds its end. What follows the last whole entry was being written when the process or the
// machine stopped; it returns how many bytes that is. Whole entries behind one that is not whole are no torn tail but damage.
func (s *segment) scan() (torn int64, err error) {
	p, err := os.ReadFile(s.path)
	if err != nil {
		return 0, err
	}
	s.size, s.end = 0, s.first
	if !validSegmentHeader(p, s.first) {
		if _, _, whole := resync(p, s.first, s.first+uint64(len(p))); !whole {
			return int64(len(p)), nil // it was just begun
		}
		s.damaged = true
	}
	at := segmentHeader
	for at < len(p) {
		frame, seq, ok := frameAt(p[at:])
		if ok && seq == s.end {
			at += len(frame)
			s.end++
			continue
		}
		skip, seq, ok := resync(p[at:], s.end, s.end+uint64(len(p)))
		if !ok {
			break
		}
		s.damaged = true
		at += skip
		s.end = seq
	}
	s.size = int64(min(at, len(p)))
	return int64(len(p)) - s.size, nil
}

// remove deletes a segment that nobody needs any more, or sets it aside if it is damaged: somebody may want to look.
func (s *segment) remove() error {
	if s.damaged {
		return os.Rename(s.path, s.path+damagedSuffix)
	}
	return os.Remove(s.path)
}

// file is what a segment is written through.
type file interface {
	io.Writer
	Sync() error
	Truncate(size int64) error
	Close() error
}

// system is what is asked of the operating system.
type system struct {
	create func(path string) (file, error) // opens a file for appending, making it if it is missing
	sync   func(*os.File) error            // of folders and positions
}

// syncDir makes what was created in or removed from a folder last.
func (s system) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return s.sync(d)
}
