package spool

import (
	"encoding/binary"
	"hash/crc32"
)

// A segment begins with magic, the version of the format, the number of its first entry, and a checksum of those. Entries
// follow: length (4 bytes), number (8), checksum (4), and length bytes. All numbers are little-endian.
const (
	magic         = "SLUICESP"
	formatVersion = 1
	segmentHeader = len(magic) + 4 + 8 + 4
	frameHeader   = 4 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a table that is only read

// appendSegmentHeader appends the header of a segment whose first entry has the given number.
func appendSegmentHeader(dst []byte, first uint64) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint32(dst, formatVersion)
	dst = binary.LittleEndian.AppendUint64(dst, first)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// validSegmentHeader says whether p begins with the header of the segment whose first entry has the given number.
func validSegmentHeader(p []byte, first uint64) bool {
	want := appendSegmentHeader(nil, first)
	return len(p) >= segmentHeader && string(p[:segmentHeader]) == string(want)
}

// seal fills the header of a frame whose payload stands behind it.
func seal(frame []byte, seq uint64) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHeader))
	binary.LittleEndian.PutUint64(frame[4:], seq)
	binary.LittleEndian.PutUint32(frame[12:], checksum(frame))
}

func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:12], castagnoli), castagnoli, frame[frameHeader:])
}

// header is the length of a frame, its header included, and the number of its entry, as they stand at the start of p. It is
// false if p is too short for one.
func header(p []byte) (size int64, seq uint64, ok bool) {
	if len(p) < frameHeader {
		return 0, 0, false
	}
	return frameHeader + int64(binary.LittleEndian.Uint32(p)), binary.LittleEndian.Uint64(p[4:]), true
}

// valid says whether frame is whole.
func valid(frame []byte) bool {
	return binary.LittleEndian.Uint32(frame[12:]) == checksum(frame)
}

// frameAt returns the frame at the start of p if it is whole, and the number of its entry.
func frameAt(p []byte) (frame []byte, seq uint64, ok bool) {
	size, seq, ok := header(p)
	if !ok || size > int64(len(p)) || !valid(p[:size]) {
		return nil, 0, false
	}
	return p[:size], seq, true
}

// resync returns where in p the next whole frame starts whose number is at least from and less than before, and that number. It
// is false if there is none.
func resync(p []byte, from, before uint64) (offset int, seq uint64, ok bool) {
	for i := range p {
		size, seq, ok := header(p[i:])
		if !ok {
			return 0, 0, false
		}
		if seq >= from && seq < before && size <= int64(len(p)-i) && valid(p[i:i+int(size)]) {
			return i, seq, true
		}
	}
	return 0, 0, false
}

// Entries are entries on their way into a spool, in one piece of memory that can be used again after Reset.
type Entries struct {
	buf   []byte
	ends  []int // of the frames in buf
	first uint64
	err   error
	done  chan struct{}
}

// Reset forgets the entries and keeps the memory.
func (e *Entries) Reset() { e.buf, e.ends = e.buf[:0], e.ends[:0] }

// Begin begins an entry: its bytes are to be appended to what is returned, and the result given to End.
func (e *Entries) Begin() []byte {
	var room [frameHeader]byte
	return append(e.buf, room[:]...)
}

// End ends the entry that Begin began.
func (e *Entries) End(buf []byte) {
	e.buf = buf
	e.ends = append(e.ends, len(buf))
}

// Len is the number of entries.
func (e *Entries) Len() int { return len(e.ends) }

// Size is the bytes that they take in a segment.
func (e *Entries) Size() int64 { return int64(len(e.buf)) }

// number gives the entries their numbers from first on.
func (e *Entries) number(first uint64) {
	e.first = first
	start := 0
	for i, end := range e.ends {
		seal(e.buf[start:end], first+uint64(i))
		start = end
	}
}
