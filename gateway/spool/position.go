package spool

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
)

// Position is what the reader of a spool is done with: every entry before Next, and those of Ahead, which are in ascending order
// and do not touch.
type Position struct {
	Next  uint64
	Ahead []Range
}

// Range is the entries from From up to, not including, To.
type Range struct{ From, To uint64 }

// maxRanges bounds the file of a position. Entries of ranges beyond it count as not done.
const maxRanges = 4096

const positionMagic = 0x504c5331

// positionRoom is taken from the disk when the file is made, so that a position can be written when the disk is full.
const positionRoom = 4 << 10

// appendTo appends the position as the given version of it: magic (4 bytes), version (8), next (8), the number of ranges (4), the
// ranges, a checksum (4).
func (p Position) appendTo(dst []byte, version uint64) []byte {
	start := len(dst)
	ahead := p.Ahead[:min(len(p.Ahead), maxRanges)]
	dst = binary.LittleEndian.AppendUint32(dst, positionMagic)
	dst = binary.LittleEndian.AppendUint64(dst, version)
	dst = binary.LittleEndian.AppendUint64(dst, p.Next)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(ahead)))
	for _, r := range ahead {
		dst = binary.LittleEndian.AppendUint64(dst, r.From)
		dst = binary.LittleEndian.AppendUint64(dst, r.To)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// parsePosition reads what appendTo wrote; what stands behind it is left over from a longer one. It is false if that is not whole.
func parsePosition(b []byte) (p Position, version uint64, ok bool) {
	const head = 4 + 8 + 8 + 4
	if len(b) < head+4 || binary.LittleEndian.Uint32(b) != positionMagic {
		return Position{}, 0, false
	}
	n := binary.LittleEndian.Uint32(b[20:])
	if n > maxRanges || len(b) < head+int(n)*16+4 {
		return Position{}, 0, false
	}
	end := head + int(n)*16
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return Position{}, 0, false
	}
	p.Next = binary.LittleEndian.Uint64(b[12:])
	last := p.Next
	for i := head; i < end; i += 16 {
		r := Range{binary.LittleEndian.Uint64(b[i:]), binary.LittleEndian.Uint64(b[i+8:])}
		if r.From <= last || r.To <= r.From {
			return Position{}, 0, false
		}
		p.Ahead = append(p.Ahead, r)
		last = r.To
	}
	return p, binary.LittleEndian.Uint64(b[4:]), true
}

// positions keeps a position in two files that are written in turn: whatever happens while one is written, the other is whole.
type positions struct {
	files   [2]*os.File
	version uint64
	buf     []byte
}

// openPositions opens the files and returns the newest position, and whether there is one.
func openPositions(dir string) (*positions, Position, bool, error) {
	ps := &positions{}
	var newest Position
	found := false
	for i, name := range []string{"position.a", "position.b"} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, filePerm)
		if err != nil {
			ps.close()
			return nil, Position{}, false, err
		}
		ps.files[i] = f
		b, err := os.ReadFile(f.Name())
		if err == nil && len(b) == 0 {
			_, err = f.Write(make([]byte, positionRoom))
		}
		if err != nil {
			ps.close()
			return nil, Position{}, false, err
		}
		if p, version, ok := parsePosition(b); ok && (!found || version > ps.version) {
			newest, ps.version, found = p, version, true
		}
	}
	return ps, newest, found, nil
}

func (ps *positions) write(p Position) error {
	ps.buf = p.appendTo(ps.buf[:0], ps.version+1)
	if _, err := ps.files[(ps.version+1)%2].WriteAt(ps.buf, 0); err != nil {
		return err
	}
	ps.version++
	return nil
}

func (ps *positions) sync(sys system) error { return sys.sync(ps.files[ps.version%2]) }

func (ps *positions) close() {
	for _, f := range ps.files {
		if f != nil {
			f.Close()
		}
	}
}
