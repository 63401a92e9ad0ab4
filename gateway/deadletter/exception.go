package deadletter

import "sluice/gateway/record"

// Exception is the class that Java's producer would throw for an outcome (org.apache.kafka.common.errors), for who decides by
// it. What a module did has none of Java's.
func Exception(c record.Code, module string) string {
	const kafka = "org.apache.kafka.common.errors."
	if module != "" {
		return "sluice.module." + module
	}
	switch c {
	case record.RecordTooLarge:
		return kafka + "RecordTooLargeException"
	case record.InvalidRecord:
		return kafka + "InvalidRecordException"
	case record.SchemaMismatch:
		return kafka + "SerializationException"
	case record.Invalid, record.UnknownPartition:
		return kafka + "ApiException"
	case record.UnknownTopic, record.TopicNotAllowed:
		return kafka + "UnknownTopicOrPartitionException"
	case record.Unauthorized:
		return kafka + "TopicAuthorizationException"
	case record.DeliveryTimeout, record.Unknown:
		return kafka + "TimeoutException"
	case record.NotAvailable:
		return kafka + "NotLeaderOrFollowerException"
	case record.Fenced:
		return kafka + "ProducerFencedException"
	case record.BufferFull:
		return "org.apache.kafka.clients.producer.BufferExhaustedException"
	default:
		return kafka + "UnknownServerException"
	}
}
