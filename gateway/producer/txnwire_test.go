package producer

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Only what is certainly an abort may be taken for one.
func TestAbortIsNoCommit(t *testing.T) {
	for _, id := range []string{"", "sluice-transactions"} {
		f := kmsg.NewRequestFormatter(kmsg.FormatterClientID(id))
		for version := range int16(6) {
			req := kmsg.NewPtrEndTxnRequest()
			req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch = version, "t-0", 1<<40, 7
			for _, commit := range []bool{true, false} {
				req.Commit = commit
				p := f.AppendRequest(nil, req, 99)
				if isAbort(p[4:]) == commit {
					t.Errorf("version %d, client %q: commit = %v is taken for the opposite", version, id, commit)
				}
				for n := range len(p) - 4 {
					if isAbort(p[4 : 4+n]) {
						t.Errorf("version %d: the first %d bytes are taken for an abort", version, n)
					}
				}
			}
		}
	}
}
