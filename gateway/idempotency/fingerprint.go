package idempotency

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
)

// Fingerprint stands for a request: parameters, and the body as far as it was read.
type Fingerprint struct {
	Sum   [sha256.Size]byte
	Size  int64 // bytes of body that were read
	Whole bool  // there were no more
}

// Hasher takes the fingerprint of a request: its parameters first, then the body while somebody reads it through it. Once
// used it allocates nothing.
type Hasher struct {
	hash  hash.Hash
	src   io.Reader
	size  int64
	ended bool
	word  [8]byte
	sum   [sha256.Size]byte
}

// Start begins a request.
func (h *Hasher) Start() {
	if h.hash == nil {
		h.hash = sha256.New()
	}
	h.hash.Reset()
	h.src, h.size, h.ended = nil, 0, false
}

// Number takes a parameter. Callers take the same kinds of parameters in the same order.
func (h *Hasher) Number(n int64) {
	binary.LittleEndian.PutUint64(h.word[:], uint64(n))
	h.hash.Write(h.word[:])
}

// Bytes takes a parameter of any length.
func (h *Hasher) Bytes(p []byte) {
	h.Number(int64(len(p)))
	h.hash.Write(p)
}

// Body sets where Read reads from, after all parameters.
func (h *Hasher) Body(src io.Reader) { h.src = src }

// Read implements io.Reader. Its errors are those of the body.
func (h *Hasher) Read(p []byte) (int, error) {
	n, err := h.src.Read(p)
	h.hash.Write(p[:n])
	h.size += int64(n)
	if err == io.EOF {
		h.ended = true
	}
	return n, err
}

// Fingerprint is that of what was taken so far.
func (h *Hasher) Fingerprint() Fingerprint {
	h.hash.Sum(h.sum[:0])
	return Fingerprint{Sum: h.sum, Size: h.size, Whole: h.ended}
}

// Matches reads as much of the body as f covers, into buf, and says whether this is the request that f is of. A body that was
// not read to its end the first time may go on as it likes: nobody has seen the rest.
func (h *Hasher) Matches(f *Fingerprint, buf []byte) (bool, error) {
	for h.size < f.Size && !h.ended {
		if err := h.next(buf[:min(int64(len(buf)), f.Size-h.size)]); err != nil {
			return false, err
		}
	}
	own := h.Fingerprint()
	if own.Size != f.Size || own.Sum != f.Sum {
		return false, nil
	}
	for f.Whole && !h.ended && h.size == f.Size {
		if err := h.next(buf[:1]); err != nil {
			return false, err
		}
	}
	return !f.Whole || h.size == f.Size, nil
}

// next reads on. The end is no error.
func (h *Hasher) next(buf []byte) error {
	_, err := h.Read(buf)
	if h.ended {
		return nil
	}
	return err
}
