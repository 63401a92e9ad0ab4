// Package ingest is the HTTP data plane: it turns requests into batches of records, sends them to their topic, waits for
// their acknowledgements and answers. It knows fasthttp and no Kafka client.
//
// The way of a request:
//
//	conn.go     conn          max.connections, deadlines, closing without losing the answer
//	handle.go   admit         route, draining, limits that the request line and headers already break
//	params.go   params.parse  query (query.go) and X-Kafka-* headers
//	body.go     body          the body as sent: max.body.bytes, read.timeout.ms
//	inflate.go  inflater      Content-Encoding: max.inflated.bytes
//	raw.go      serveRaw      the whole body is one record
//	lines.go    serveLines    each line is one record: cut into batches, each sent as soon as it is full
//	envelope.go envelope      a line that is a JSON object with key, value, headers, partition and timestamp
//	once.go     serveOnce     a request with an Idempotency-Key: the first of its key, or one that gets the first one's answer
//	transaction.go            lines of several topics, which are stored together or not at all
//	request.go  request       waits for the acks of all its batches, and keeps their outcome
//	respond.go  answer        200, 202, 207 or the one status of status.go
//
// # Query
//
//	?ack=queued       answer when the record is accepted (202), not when it is stored; ack=delivered is the default
//	?results=errors   of many records, only counts and those that failed; results=all is the default
//	?topic=orders     of a transaction: the topic of lines that name none
//
// Any other parameter is refused with 400, as a misspelt ack would else be answered with another promise than was asked for. One that is given
// twice is, too.
//
// # X-Kafka headers
//
// Names of HTTP headers are matched without regard to case; the name of a record header is kept as the client sent it.
//
//	X-Kafka-Key: k                    the record key; X-Kafka-Key-Base64 for bytes; neither is Kafka's null
//	X-Kafka-Partition: 3              the partition; no partitioner is asked then
//	X-Kafka-Timestamp: 1700000000000  milliseconds since the Unix epoch, or RFC 3339
//	X-Kafka-Header-<name>: v          a record header; X-Kafka-Header-<name>-Base64 for bytes
//	X-Kafka-Tombstone: true           the value is Kafka's null; the body must be empty
//
// traceparent and tracestate (W3C Trace Context) become record headers of these names. In a request of many records all
// of this applies to each of them; what a line of application/vnd.sluice.records+ndjson says itself wins.
//
// # Answers
//
// 200 means that every record is stored. One record is answered with its place, many with one result each, in order:
//
//	{"topic":"orders","partition":3,"offset":7,"timestamp":1700000000000}
//	{"topic":"orders","records":[{"partition":3,"offset":7},{"error":{"code":"buffer_full","message":"…"}}]}
//	{"topic":"orders","stored":1,"failed":1,"errors":[{"index":1,"code":"buffer_full","message":"…"}]}   ?results=errors
//	{"topic":"orders","accepted":2}                                                                      ?ack=queued
//
// What shares no status is 207; what failed as a whole is a problem (RFC 9457) with the status of status.go.
//
// An interceptor may route a record to another topic. Its result names that topic: "topic" of the one record, or
// {"topic":"other","partition":0,"offset":4} among many. An answer of counts only does not.
//
// An interceptor may also drop a record. It is not stored, hence never 200, and went wrong for nobody, hence never an
// error: 207, without Retry-After, also if all were dropped.
//
//	{"topic":"orders","dropped":true,"message":"interceptor \"sample\" dropped the record"}
//	{"topic":"orders","records":[{"partition":3,"offset":7},{"dropped":true,"message":"…"}]}
//	{"topic":"orders","stored":1,"dropped":1,"failed":0,"errors":[]}                                     ?results=errors
//	{"topic":"orders","accepted":1,"dropped":1}      202; 207 if none was accepted                       ?ack=queued
//
// # Idempotency-Key
//
// A request with Idempotency-Key: "k" that is sent again to the same topic gets the first answer, and a header that says so; it
// is not executed again. While the first is in progress, the others wait for it as long as the topic waits for acknowledgements.
//
//	Idempotency-Replayed: true
//	422 idempotency_key_reused    the key was used with another body, path, query or other X-Kafka headers
//	409 idempotency_key_in_use    the first is still in progress; Retry-After says when to ask again
//
// Remembered is every answer after which a record is or may be stored, was dropped or is in the dead-letter topic: also 504.
// After any other the key may be used again. An answer that is too large is remembered by its status and counts:
//
//	{"topic":"orders","stored":9000,"dropped":0,"dead_lettered":0,"failed":1000,"summary":"the answer was 412345 bytes, …"}
//
// Each replica remembers for itself; see the DESIGN.md of package idempotency.
//
// # Transactions
//
// POST /v1/transactions takes lines as application/vnd.sluice.records+ndjson with one more member, "topic"; ?topic= is for
// lines without. All are stored, or none:
//
//	{"committed":true,"records":[{"topic":"orders","partition":3,"offset":7},{"topic":"invoices","partition":0,"offset":4}]}
//
// A record that an interceptor dropped is {"dropped":true}, with 207. What goes wrong is a problem; "index" is the number of the
// first record that it is about, if it is about one. Unless the code is outcome_unknown nothing was stored.
//
// # Timeouts
//
// read.timeout.ms covers a whole request from its first byte, less the time that the topic made it wait; idle.timeout.ms
// the time between two; write.timeout.ms an answer. They never fire early, and at most a sixteenth of the shortest late.
//
// # Memory
//
// A request pays for what it holds out of receive.memory until the topic's Send has returned, also while Send waits for
// buffer.memory or for metadata; the topic pays from then on. A transaction pays until it is answered. The last eighth of it is for
// requests that have begun.
// There is no goroutine per request, and in steady state no allocation per record.
package ingest
