// Package deadletter says how a dead letter looks: a record that could not be stored in its topic and stands in the
// dead-letter topic instead, as it was sent, with the reason in its headers. It knows no Kafka client.
//
// The headers are those of Spring Kafka's DeadLetterPublishingRecoverer (KafkaHeaders.DLT_*), in its encodings, so that its
// users' tools read them; what Spring has no header for is in headers of our own, sluice_dlt-*.
package deadletter
