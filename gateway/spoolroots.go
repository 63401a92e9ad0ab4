package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/gateway/dirlock"
)

// spoolLock is the file in a spool.dir by which it is locked.
const spoolLock = "lock"

// spoolRoot is a spool.dir that is locked for this gateway.
type spoolRoot struct {
	dir  os.FileInfo
	lock *dirlock.Lock
}

// own locks a spool.dir for this gateway, until close, and makes it if it is missing. The folders in it have locks of their own, but are made only when
// their topics are asked for, which may be long after another gateway began to use them.
func (s *spools) own(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the gateway is stopping")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	for _, r := range s.roots {
		if os.SameFile(r.dir, info) { // it may have several names
			return nil
		}
	}
	lock, err := dirlock.Take(filepath.Join(dir, spoolLock), 0o600)
	if held, ok := errors.AsType[*dirlock.HeldError](err); ok {
		return fmt.Errorf("%w; a folder of spools belongs to one gateway", held)
	}
	if err != nil {
		return err
	}
	_ = lock.Sign() // only for the error that the next one gets
	s.roots = append(s.roots, spoolRoot{info, lock})
	return nil
}

// disown gives all of them up.
func (s *spools) disown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.roots {
		_ = r.lock.Release() // the process ends soon
	}
	s.roots = nil
}

// ownSpools locks every spool.dir of the configuration.
func (s *Topics) ownSpools() error {
	var failed []error
	owned := make(map[string]bool)
	for _, table := range s.cfg.Tables() {
		cfg, ok := s.cfg.Topic(table)
		dir := cfg.Spool.Dir
		if !ok || dir == "" || owned[dir] {
			continue
		}
		owned[dir] = true
		if err := s.spools.own(dir); err != nil {
			failed = append(failed, fmt.Errorf("[topics.%q]: spool.dir = %q: %w", table, dir, err))
		}
	}
	return errors.Join(failed...)
}
