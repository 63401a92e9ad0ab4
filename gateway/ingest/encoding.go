package ingest

import (
	"bytes"

	"sluice/gateway/record"
)

// encoding is a Content-Encoding.
type encoding uint8

const (
	identity encoding = iota
	gzipped
	zstandard
	deflated
	snappied
	numEncodings
)

var encodingNames = [numEncodings]string{ //nolint:gochecknoglobals // a table that is only read
	identity: "identity", gzipped: "gzip", zstandard: "zstd", deflated: "deflate",
	snappied: "snappy",
}

func (e encoding) String() string { return encodingNames[e] }

// encodingOf reads Content-Encoding. One encoding is supported, not a list of them.
func encodingOf(value []byte) (encoding, *record.Error) {
	value = trim(value)
	for e, name := range encodingNames {
		if equalFold(value, name) {
			return encoding(e), nil
		}
	}
	switch {
	case equalFold(value, "x-gzip"):
		return gzipped, nil
	case bytes.IndexByte(value, ',') >= 0:
		return identity, record.Errorf(record.UnsupportedType, "Content-Encoding is %q; only one encoding at a time is supported", value)
	default:
		return identity, record.Errorf(record.UnsupportedType, "Content-Encoding is %q; it is gzip, zstd, deflate, snappy or identity", value)
	}
}
