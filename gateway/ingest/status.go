package ingest

import (
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

// statuses is the one table from outcome to HTTP status; its meaning is the same on every dialect that lets us choose.
// Too many or too large record headers are 413 and not RFC 6585's 431, which is about the header fields of the request:
// record headers may as well come in the body. 431 is answered when read.buffer.bytes is exceeded.
var statuses = [...]int{ //nolint:gochecknoglobals // a table that is only read
	record.Pending:           fasthttp.StatusGatewayTimeout,
	record.Stored:            fasthttp.StatusOK,
	record.Spooled:           fasthttp.StatusAccepted,
	record.Invalid:           fasthttp.StatusBadRequest,
	record.UnsupportedType:   fasthttp.StatusUnsupportedMediaType,
	record.BodyTooLarge:      fasthttp.StatusRequestEntityTooLarge,
	record.RecordTooLarge:    fasthttp.StatusRequestEntityTooLarge,
	record.TooManyRecords:    fasthttp.StatusRequestEntityTooLarge,
	record.HeadersTooLarge:   fasthttp.StatusRequestEntityTooLarge,
	record.TopicNotAllowed:   fasthttp.StatusNotFound,
	record.TransactionsOff:   fasthttp.StatusNotImplemented,
	record.UnknownTopic:      fasthttp.StatusNotFound,
	record.UnknownPartition:  fasthttp.StatusNotFound,
	record.Rejected:          fasthttp.StatusUnprocessableEntity,
	record.Unauthorized:      fasthttp.StatusForbidden,
	record.TooSlow:           fasthttp.StatusRequestTimeout,
	record.KeyReused:         fasthttp.StatusUnprocessableEntity,
	record.InvalidRecord:     fasthttp.StatusUnprocessableEntity,
	record.Dropped:           fasthttp.StatusMultiStatus, // not 200, which means stored, and no error
	record.DeadLettered:      fasthttp.StatusMultiStatus, // neither stored where it was sent nor lost
	record.SchemaMismatch:    fasthttp.StatusUnprocessableEntity,
	record.SchemaRefused:     fasthttp.StatusUnprocessableEntity,
	record.RateLimited:       fasthttp.StatusTooManyRequests,
	record.BufferFull:        fasthttp.StatusServiceUnavailable,
	record.SpoolFull:         fasthttp.StatusServiceUnavailable,
	record.Draining:          fasthttp.StatusServiceUnavailable,
	record.Overloaded:        fasthttp.StatusServiceUnavailable,
	record.KeyInUse:          fasthttp.StatusConflict,
	record.Aborted:           fasthttp.StatusServiceUnavailable,
	record.SchemaUnavailable: fasthttp.StatusServiceUnavailable,
	record.NotAvailable:      fasthttp.StatusServiceUnavailable,
	record.Fenced:            fasthttp.StatusConflict,
	record.DeliveryTimeout:   fasthttp.StatusGatewayTimeout,
	record.Unknown:           fasthttp.StatusGatewayTimeout,
	record.BrokerError:       fasthttp.StatusBadGateway,
	record.Internal:          fasthttp.StatusInternalServerError,
}

func status(c record.Code) int {
	if int(c) < len(statuses) && statuses[c] != 0 {
		return statuses[c]
	}
	return fasthttp.StatusInternalServerError
}

// Status is the HTTP status of an outcome, and whether the answer has Retry-After.
func Status(c record.Code) (code int, retryAfter bool) {
	code = status(c)
	return code, asksToRetry(code)
}

// asksToRetry says whether an answer with the status has Retry-After.
func asksToRetry(status int) bool {
	return status == fasthttp.StatusServiceUnavailable || status == fasthttp.StatusTooManyRequests
}

// retrySeconds is the value of Retry-After: whole seconds, at least one.
func retrySeconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}
