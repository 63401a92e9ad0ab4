package producer

import (
	"encoding/binary"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// txnConn reads along for the requests that end a transaction. kgo makes an abort of a commit, or nothing at all, when it thinks
// that no record is in the transaction, and does not say so. And a commit that was never written cannot have happened, while of
// one that was written once the answer is the whole truth.
type txnConn struct {
	net.Conn
	client *txnClient
}

// Write implements [net.Conn]. kgo writes every request at once.
func (c txnConn) Write(p []byte) (int, error) {
	const sizeAndKey = 6
	if len(p) > sizeAndKey && int16(binary.BigEndian.Uint16(p[4:])) == int16(kmsg.EndTxn) {
		if isAbort(p[4:]) {
			c.client.aborts.Add(1)
		} else {
			c.client.commits.Add(1) // before it is written: what may be there counts
		}
	}
	return c.Conn.Write(p)
}

// isAbort reads an EndTxn request behind its size. What cannot be read may be a commit.
func isAbort(p []byte) bool {
	const head = 10 // key, version, correlation id, and the length of the client id
	if len(p) < head {
		return false
	}
	req := kmsg.EndTxnRequest{Version: int16(binary.BigEndian.Uint16(p[2:]))}
	skip := head + max(int(int16(binary.BigEndian.Uint16(p[8:]))), 0)
	if req.IsFlexible() {
		skip++ // no tags
	}
	return skip <= len(p) && req.ReadFrom(p[skip:]) == nil && !req.Commit
}
