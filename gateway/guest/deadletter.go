package guest

import (
	"sluice/gateway/record"
	"sluice/wasmhost"
)

// Headers that a dead letter gets in front of its own, as Spring Kafka names them.
const (
	headerOriginalTopic    = "kafka_dlt-original-topic"
	headerExceptionFqcn    = "kafka_dlt-exception-fqcn"
	headerExceptionMessage = "kafka_dlt-exception-message"
)

// deadLetter sends record i to the dead-letter topic as this interceptor received it.
func deadLetter(b *record.Batch, i int, topic, module string, from *wasmhost.Record) {
	r := &b.Records[i]
	headers := b.NewHeaders(len(r.Headers) + 3)
	headers[0] = record.Header{Key: headerOriginalTopic, Value: []byte(r.Topic)}
	headers[1] = record.Header{Key: headerExceptionFqcn, Value: []byte("sluice.module." + module + "." + from.Cause.String())}
	headers[2] = record.Header{Key: headerExceptionMessage, Value: []byte(from.Reason)}
	copy(headers[3:], r.Headers)
	r.Headers = headers
	route(r, topic)
}
