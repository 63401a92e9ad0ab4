package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

const (
	maxWindow    = 8 << 20   // of zstd: what RFC 8878 section 3.1.1.1.2 asks of every decoder
	pooledWindow = 1 << 20   // decoders that needed a larger window are not kept
	flateMemory  = 64 << 10  // what inflating takes beside its input and output
	snappyMemory = 160 << 10 // two blocks of 64 KiB and their overhead
	zstdMemory   = 320 << 10 // beside the window: blocks and tables
	snappyBlock  = 64 << 10  // of the framed format
)

// codec is a pooled decoder of one encoding.
type codec struct {
	encoding encoding
	in       *bufio.Reader
	window   uint64 // of zstd

	gzip  *gzip.Reader
	zlib  io.ReadCloser
	flate io.ReadCloser
	zstd  *zstd.Decoder
	s2    *s2.Reader
}

// codecs keeps decoders, because they are large.
type codecs struct{ pools [numEncodings]sync.Pool }

func (c *codecs) take(e encoding) *codec {
	if k, ok := c.pools[e].Get().(*codec); ok {
		return k
	}
	return &codec{encoding: e, in: bufio.NewReaderSize(nil, 4<<10)}
}

func (c *codecs) put(k *codec) {
	if k.window > pooledWindow {
		return
	}
	k.in.Reset(nil)
	c.pools[k.encoding].Put(k)
}

// memory is how much decoding will take, as far as the beginning of the body tells.
func (k *codec) memory() (int, error) {
	switch k.encoding {
	case zstandard:
		if err := k.readWindow(); err != nil {
			return 0, err
		}
		return int(k.window) + zstdMemory, nil
	case snappied:
		return snappyMemory, nil
	default:
		return flateMemory, nil
	}
}

// readWindow looks at the header of the first frame. A later frame may not ask for more.
func (k *codec) readWindow() error {
	head, err := k.in.Peek(zstd.HeaderMaxSize)
	if err != nil && err != io.EOF {
		return err
	}
	var h zstd.Header
	if err := h.Decode(head); err != nil {
		return err
	}
	k.window = h.WindowSize
	if h.SingleSegment {
		k.window = h.FrameContentSize
	}
	k.window = max(k.window, zstd.MinWindowSize)
	if k.window > maxWindow {
		return zstd.ErrWindowSizeExceeded
	}
	return nil
}

// open starts the decoder on what is in front of the reader.
func (k *codec) open() (io.Reader, error) {
	switch k.encoding {
	case gzipped:
		if k.gzip == nil {
			k.gzip = new(gzip.Reader)
		}
		return k.gzip, k.gzip.Reset(k.in)
	case zstandard:
		return k.openZstd()
	case deflated:
		return k.openDeflate()
	case snappied:
		if k.s2 == nil {
			k.s2 = s2.NewReader(k.in, s2.ReaderMaxBlockSize(snappyBlock), s2.ReaderAllocBlock(snappyBlock))
		}
		k.s2.Reset(k.in)
		return k.s2, nil
	default:
		return nil, errors.New("no such encoding")
	}
}

func (k *codec) openZstd() (io.Reader, error) {
	limits := []zstd.DOption{zstd.WithDecoderMaxWindow(k.window), zstd.WithDecoderMaxMemory(max(k.window, zstd.MinWindowSize))}
	if k.zstd != nil {
		return k.zstd, k.zstd.ResetWithOptions(k.in, limits...)
	}
	var err error
	k.zstd, err = zstd.NewReader(k.in, append(limits, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))...)
	return k.zstd, err
}

// openDeflate takes what RFC 9110 calls deflate, which is zlib, and the bare deflate that some clients send under the
// name. A zlib header has 8 in its low four bits; in bare deflate that is a stored block with set padding bits, which no
// encoder writes.
func (k *codec) openDeflate() (io.Reader, error) {
	head, err := k.in.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return k.openZlib()
	}
	if k.flate == nil {
		k.flate = flate.NewReader(k.in)
		return k.flate, nil
	}
	return k.flate, reset(k.flate, k.in)
}

func (k *codec) openZlib() (io.Reader, error) {
	if k.zlib == nil {
		z, err := zlib.NewReader(k.in)
		if err != nil {
			return nil, err
		}
		k.zlib = z
		return z, nil
	}
	return k.zlib, reset(k.zlib, k.in)
}

// reset is of flate.Resetter and zlib.Resetter, which are the same.
func reset(r io.Reader, in io.Reader) error {
	again, ok := r.(flate.Resetter)
	if !ok {
		return errors.New("decoder cannot be used again")
	}
	return again.Reset(in, nil)
}

// isSnappyBlock says whether the body is one snappy block and not a stream of frames, which begins with its identifier.
func (k *codec) isSnappyBlock() bool {
	if k.encoding != snappied {
		return false
	}
	head, _ := k.in.Peek(len("\xff\x06\x00\x00sNaPpY")) // what is wrong with the body shows when it is read
	return !bytes.Equal(head, []byte("\xff\x06\x00\x00sNaPpY"))
}

func snappyLen(packed []byte) (int, error) { return snappy.DecodedLen(packed) }

func snappyDecode(dst, packed []byte) ([]byte, error) { return snappy.Decode(dst, packed) }
