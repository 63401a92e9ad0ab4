package spool

import "time"

// GoneError says that a file or the folder of the spool was removed, moved away or replaced while it was in use. What is written to
// such a file is lost when the process ends.
type GoneError struct{ Path string }

func (e *GoneError) Error() string {
	return e.Path + " was removed, moved away or replaced while it was in use"
}

// lookInterval is how often the writer looks whether the folder is still where it was. That its files have a name is looked at with every
// write.
const lookInterval = time.Second

// There is nil if the folder is the one that was opened: its lock file is the one that we have locked. Else it is a GoneError, also if there is
// another folder by now, which nobody has locked; it is nil again when the first is back.
func (s *Spool) There() error {
	if !isAt(s.lock.Path(), s.locked) {
		return &GoneError{s.dir}
	}
	return nil
}

// stillThere is There if that was not looked at lately.
func (s *Spool) stillThere(now time.Time) error {
	if now.Sub(s.looked) < lookInterval {
		return nil
	}
	if err := s.There(); err != nil {
		return err
	}
	s.looked = now
	return nil
}
