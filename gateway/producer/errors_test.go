package producer

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"

	"sluice/gateway/ingest"
	"sluice/gateway/record"
)

var update = flag.Bool("update", false, "rewrite ERRORS.md")

// TestEveryErrorOfKafkaHasARow is over all codes that the protocol's library knows, and some more.
func TestEveryErrorOfKafkaHasARow(t *testing.T) {
	known := 0
	for code := int16(-1); code < 1000; code++ {
		err := kerr.ErrorForCode(code)
		if err == nil || code != -1 && errors.Is(err, kerr.UnknownServerError) {
			continue
		}
		known++
		m, ok := answers[code]
		if !ok {
			t.Errorf("%v (%d) has no row", err, code)
			continue
		}
		if m.err != err { //nolint:errorlint // the same value is wanted
			t.Errorf("%v (%d) has the row of %v", err, code, m.err)
		}
		// What kgo does: sink.handleReqRespBatch.
		again := kerr.IsRetriable(err) && code != kerr.CorruptMessage.Code || slices.Contains([]int16{
			kerr.OutOfOrderSequenceNumber.Code, kerr.UnknownProducerID.Code, kerr.InvalidProducerIDMapping.Code,
			kerr.InvalidProducerEpoch.Code, kerr.ConcurrentTransactions.Code, kerr.DuplicateSequenceNumber.Code,
		}, code)
		if again != (m.kind == retriable) {
			t.Errorf("%v is %v, and the client tries it again: %v", err, m.kind, again)
		}
	}
	if known != len(answers) || known < 137 {
		t.Errorf("%d codes are known, the table has %d", known, len(answers))
	}
	if answerOf(9999).code != record.BrokerError {
		t.Error("a code of the future has no meaning")
	}
}

// TestRowsAreTrue: what is not in the log is answered with a code that does not say that it may be, and what may be with none
// that says that it is not.
func TestRowsAreTrue(t *testing.T) {
	rows := slices.Concat(slices.Collect(maps.Values(answers)), ends)
	for _, x := range texts {
		rows = append(rows, x.meaning)
	}
	for _, m := range rows {
		if m.kind == 0 || m.says == 0 || m.code.OutcomeUnknown() {
			t.Errorf("%v: %+v", m.err, m)
		}
		if m.says != isWritten && !m.open.OutcomeUnknown() {
			t.Errorf("%v: a record that may be in the log is answered %v", m.err, m.open)
		}
	}
}

func TestErrorsReference(t *testing.T) {
	got := reference()
	if *update {
		if err := os.WriteFile("ERRORS.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("ERRORS.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("ERRORS.md is not what the table says; run go generate ./gateway/producer (-file +table)\n%s", diff)
	}
}

// reference is ERRORS.md.
func reference() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Errors of Kafka")
	line("")
	line("Written from the table in errors.go by `go generate ./gateway/producer`; do not edit.")
	line("")
	line("What the client answers for a record follows from two things: the error that ended it, and whether the record may be in the")
	line("log. It is certainly not in the log if it was never written to a connection, or if every answer for it said so (third")
	line("column). A retriable error ends a record only when `delivery.timeout.ms` passes or `retries` are used up. For an error that")
	line("is fatal for the record, the records of the refused batch are sent again in smaller batches until one is refused alone.")
	line("")
	line("## Answers of the broker")
	line("")
	line("| error | kind | the batch is | a record not in the log | a record that may be |")
	line("|---|---|---|---|---|")
	for _, m := range slices.SortedFunc(maps.Values(answers), func(a, b meaning) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(codeOf(a), codeOf(b)))
	}) {
		if slices.Contains(others, m.err) {
			continue
		}
		line("| %s (%d) | %v | %v | %s | %s |", kerr.TypedErrorForCode(codeOf(m)).Message, codeOf(m), m.kind, m.says, told(m.code), told(m.open))
	}
	line("")
	line("Every other code of Kafka is for other requests. As an answer to a produce request it tells nothing of the batch: what Kafka")
	line("calls retriable is tried again, and the rest is like UNKNOWN_SERVER_ERROR.")
	line("")
	line("## Ends in the client")
	line("")
	line("| error | kind | a record not in the log | a record that may be |")
	line("|---|---|---|---|")
	for _, m := range ends {
		line("| %v | %v | %s | %s |", m.err, m.kind, told(m.code), told(m.open))
	}
	for _, m := range texts {
		line("| %s | %v | %s | %s |", m.text, m.kind, told(m.code), told(m.open))
	}
	line("| an error of the network | %v | %s | %s |", retriable, told(record.NotAvailable), told(record.Unknown))
	return b.String()
}

func codeOf(m meaning) int16 {
	var e *kerr.Error
	_ = errors.As(m.err, &e) // the table holds nothing else
	return e.Code
}

func told(c record.Code) string {
	status, retry := ingest.Status(c)
	s := fmt.Sprintf("%d `%v`", status, c)
	if retry {
		s += ", Retry-After"
	}
	return s
}
