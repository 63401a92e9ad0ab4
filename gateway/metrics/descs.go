package metrics

import "slices"

// Kafka's groups, which are the types of its MBeans in kafka.producer.
const (
	producerMetrics = "producer-metrics"
	topicMetrics    = "producer-topic-metrics"
)

// descs is the table of all metrics, in the order of METRICS.md.
var descs = append([]desc{ //nolint:gochecknoglobals // a table that is only read
	// The buffer and what goes through it, per topic table.
	{
		name: "kafka_producer_record_send_rate", kafka: "record-send-rate", group: topicMetrics,
		scope: ofTopic, typ: gauge, unit: "records per second", value: rate(acked),
		help: "Records that Kafka stored. Java counts records as they are sent, again at every retry.",
	},
	{
		name: "kafka_producer_record_send_total", kafka: "record-send-total", group: topicMetrics,
		scope: ofTopic, typ: counter, unit: "records", value: sum(acked),
		help: "Records that Kafka stored. Java counts records as they are sent, again at every retry.",
	},
	{
		name: "kafka_producer_record_error_rate", kafka: "record-error-rate", group: topicMetrics,
		scope: ofTopic, typ: gauge, unit: "records per second", value: rate(failed, refused),
		help: "Records that were refused before, or failed after, they were accepted into the buffer.",
	},
	{
		name: "kafka_producer_record_error_total", kafka: "record-error-total", group: topicMetrics,
		scope: ofTopic, typ: counter, unit: "records", value: sum(failed, refused),
		help: "Records that were refused before, or failed after, they were accepted into the buffer.",
	},
	{
		name: "sluice_records_accepted_total", scope: ofTopic, typ: counter, unit: "records", value: sum(appended),
		help: "Records accepted into the buffer.",
	},
	{
		name: "sluice_records_refused_total", scope: ofTopic, typ: counter, unit: "records", value: sum(refused),
		help: "Records that were not accepted into the buffer: too large, no room, or shutting down.",
	},
	{
		name: "sluice_records_failed_total", scope: ofTopic, typ: counter, unit: "records", value: sum(failed),
		help: "Records that were accepted into the buffer and then not stored, or not known to be.",
	},
	{
		name: "sluice_records_ended_total", scope: ofOutcome, typ: counter, unit: "records", value: sum(ended),
		help: "Records that were sent to the topic, by the code that their senders were or would be told: stored, or why not. class is what the code " +
			"means: stored; retriable, not written and worth sending again; unknown, may be in the log; final, the same again ends the same. A code " +
			"is shown once it happened. What is refused while a request is read, as malformed or larger than max.request.size, is not counted here.",
	},
	{
		name: "sluice_record_bytes_total", scope: ofTopic, typ: counter, unit: "bytes", value: sum(recordBytes),
		help: "Keys, values and headers of accepted records, uncompressed.",
	},
	{
		name: "kafka_producer_record_size_avg_bytes", kafka: "record-size-avg", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "bytes", value: mean(recordBytes, appended),
		help: "Average size of the accepted records, key, value and headers, uncompressed.",
	},
	{
		name: "kafka_producer_record_size_max_bytes", kafka: "record-size-max", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "bytes", value: largest(maxRecord, appended),
		help: "Size of the largest accepted record, key, value and headers, uncompressed.",
	},
	{
		name: "kafka_producer_record_queue_time_avg_seconds", kafka: "record-queue-time-avg", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "seconds", value: seconds(mean(queue, queueGroups)),
		help: "Average time from acceptance into the buffer until Kafka has answered for all records accepted together. " +
			"Java's, in milliseconds, ends when the batch is sent.",
	},
	{
		name: "kafka_producer_record_queue_time_max_seconds", kafka: "record-queue-time-max", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "seconds", value: seconds(largest(maxQueue, queueGroups)),
		help: "Longest time from acceptance into the buffer until Kafka has answered for all records accepted together. " +
			"Java's, in milliseconds, ends when the batch is sent.",
	},
	{
		name: "sluice_record_queue_time_seconds_total", scope: ofTopic, typ: counter, unit: "seconds", value: seconds(sum(queue)),
		help: "Time from acceptance into the buffer until Kafka has answered, summed over sluice_record_groups_total.",
	},
	{
		name: "sluice_record_groups_total", scope: ofTopic, typ: counter, unit: "groups", value: sum(queueGroups),
		help: "Groups of records that were accepted together, by one request for one topic, and are all answered.",
	},
	{
		name: "kafka_producer_buffer_total_bytes", kafka: "buffer-total-bytes", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "bytes", value: present(bufferTotal),
		help: "buffer.memory. Every topic has its own; those of one table are summed.",
	},
	{
		name: "kafka_producer_buffer_available_bytes", kafka: "buffer-available-bytes", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "bytes", value: present(bufferAvailable),
		help: "What of buffer.memory no record holds. A record holds it until Kafka has answered.",
	},
	{
		name: "sluice_buffer_records", scope: ofTopic, typ: gauge, unit: "records", value: present(bufferRecords),
		help: "Records that were accepted and are not yet acknowledged: what buffer.records bounds, if it is set.",
	},
	{
		name: "sluice_buffer_over_80_percent", scope: ofTopic, typ: gauge, unit: "0 or 1", value: anyOf(nearlyFull),
		help: "1 while a topic of the table has more than 80 % of its buffer.memory in use.",
	},
	{
		name: "kafka_producer_buffer_exhausted_rate", kafka: "buffer-exhausted-rate", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "records per second", value: rate(exhausted),
		help: "Records that were refused because buffer.memory or buffer.records was full and stayed so for max.block.ms.",
	},
	{
		name: "kafka_producer_buffer_exhausted_total", kafka: "buffer-exhausted-total", group: producerMetrics,
		scope: ofTopic, typ: counter, unit: "records", value: sum(exhausted),
		help: "Records that were refused because buffer.memory or buffer.records was full and stayed so for max.block.ms.",
	},
	{
		name: "kafka_producer_bufferpool_wait_time_seconds_total", kafka: "bufferpool-wait-time-ns-total", group: producerMetrics,
		scope: ofTopic, typ: counter, unit: "seconds", value: seconds(sum(wait)),
		help: "Time that requests waited for buffer.memory or buffer.records, summed over requests. Java's is in nanoseconds.",
	},
	{
		name: "kafka_producer_bufferpool_wait_ratio", kafka: "bufferpool-wait-ratio", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "ratio", value: share(wait),
		help: "Time that requests waited for buffer.memory or buffer.records, as part of the time: above 1 if several wait at once. " +
			"A wait counts when it ends.",
	},
	{
		name: "kafka_producer_waiting_threads", kafka: "waiting-threads", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "requests", value: present(waiting),
		help: "Requests that wait for buffer.memory or buffer.records.",
	},
	{
		name: "sluice_on_ack_dropped_total", scope: ofTopic, typ: counter, unit: "acknowledgements", value: sum(onAckDropped),
		help: "Acknowledgements that interceptors were not told of, because their queue was full.",
	},
	{
		name: "sluice_dead_letters_total", scope: ofTopic, typ: counter, unit: "records", value: sum(deadLetters),
		help: "Records of the topic that were stored in its dead-letter topic instead.",
	},
	{
		name: "sluice_dead_letters_failed_total", scope: ofTopic, typ: counter, unit: "records", value: sum(deadLettersFailed),
		help: "Records of the topic that could be stored neither there nor in its dead-letter topic.",
	},
	{
		name: "sluice_dead_letters_memory_bytes", scope: ofTopic, typ: gauge, unit: "bytes", value: present(deadLetterMemory),
		help: "Memory of dead letters that are not stored yet, of dead_letter.buffer.memory.",
	},

	// What goes over the wire, per client.
	{
		name: "kafka_producer_record_retry_rate", kafka: "record-retry-rate", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "records per second", value: rate(retries),
		help: "Records that had to be sent again.",
	},
	{
		name: "kafka_producer_record_retry_total", kafka: "record-retry-total", group: producerMetrics,
		scope: ofClient, typ: counter, unit: "records", value: sum(retries),
		help: "Records that had to be sent again.",
	},
	{
		name: "sluice_client_records_total", scope: ofClient, typ: counter, unit: "records", value: sum(records),
		help: "Records in produce requests, those sent again included: what Java counts in record-send-total.",
	},
	{
		name: "sluice_client_batches_total", scope: ofClient, typ: counter, unit: "batches", value: sum(batches),
		help: "Record batches in produce requests, those sent again included.",
	},
	{
		name: "kafka_producer_byte_rate", kafka: "byte-rate", group: topicMetrics,
		scope: ofClient, typ: gauge, unit: "bytes per second", value: rate(batchBytes),
		help: "Record batches as sent, that is compressed. Java has it per topic.",
	},
	{
		name: "kafka_producer_byte_total", kafka: "byte-total", group: topicMetrics,
		scope: ofClient, typ: counter, unit: "bytes", value: sum(batchBytes),
		help: "Record batches as sent, that is compressed. Java has it per topic.",
	},
	{
		name: "kafka_producer_batch_size_avg_bytes", kafka: "batch-size-avg", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "bytes", value: mean(batchBytes, batches),
		help: "Average size of a record batch as sent.",
	},
	{
		name: "kafka_producer_batch_size_max_bytes", kafka: "batch-size-max", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "bytes", value: largest(maxBatch, batches),
		help: "Size of the largest record batch as sent.",
	},
	{
		name: "sluice_client_batch_fill_ratio", scope: ofClient, typ: gauge, unit: "ratio",
		value: perLevel(mean(batchBytes, batches), batchSize),
		help:  "Average size of a record batch as sent, divided by batch.size, the largest of the client's topics.",
	},
	{
		name: "kafka_producer_records_per_request_avg", kafka: "records-per-request-avg", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "records", value: mean(records, requests),
		help: "Average number of records in a produce request.",
	},
	{
		name: "kafka_producer_compression_rate_avg", kafka: "compression-rate-avg", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "ratio", value: mean(compressed, uncompressed),
		help: "Size of acknowledged batches after compression, divided by that before; 1 is none. Java weighs batches alike.",
	},
	{
		name: "sluice_client_uncompressed_bytes_total", scope: ofClient, typ: counter, unit: "bytes", value: sum(uncompressed),
		help: "Acknowledged batches before compression.",
	},
	{
		name: "sluice_client_compressed_bytes_total", scope: ofClient, typ: counter, unit: "bytes", value: sum(compressed),
		help: "Acknowledged batches after compression.",
	},
	{
		name: "kafka_producer_request_rate", kafka: "request-rate", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "requests per second", value: rate(requests),
		help: "Produce requests sent. Java counts requests of all kinds.",
	},
	{
		name: "kafka_producer_request_total", kafka: "request-total", group: producerMetrics,
		scope: ofClient, typ: counter, unit: "requests", value: sum(requests),
		help: "Produce requests sent. Java counts requests of all kinds.",
	},
	{
		name: "kafka_producer_requests_in_flight", kafka: "requests-in-flight", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "requests", value: present(inFlight),
		help: "Produce requests that wait for their response.",
	},
	{
		name: "kafka_producer_request_latency_avg_seconds", kafka: "request-latency-avg", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "seconds", value: seconds(mean(latency, responses)),
		help: "Average time from a produce request until its response. Java's is in milliseconds.",
	},
	{
		name: "kafka_producer_request_latency_max_seconds", kafka: "request-latency-max", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "seconds", value: seconds(largest(maxLatency, responses)),
		help: "Longest time from a produce request until its response. Java's is in milliseconds.",
	},
	{
		name: "sluice_client_request_latency_seconds_total", scope: ofClient, typ: counter, unit: "seconds",
		value: seconds(sum(latency)),
		help:  "Time from produce requests until their responses, summed over sluice_client_responses_total.",
	},
	{
		name: "sluice_client_responses_total", scope: ofClient, typ: counter, unit: "responses", value: sum(responses),
		help: "Responses to produce requests; there are none with acks=0.",
	},
	{
		name: "kafka_producer_produce_throttle_time_avg_seconds", kafka: "produce-throttle-time-avg", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "seconds", value: seconds(mean(throttle, responses)),
		help: "Average time that a broker imposed on the client for its quota, over all responses. Java's is in milliseconds.",
	},
	{
		name: "kafka_producer_produce_throttle_time_max_seconds", kafka: "produce-throttle-time-max", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "seconds", value: seconds(largest(maxThrottle, responses)),
		help: "Longest time that a broker imposed on the client for its quota. Java's is in milliseconds.",
	},
	{
		name: "sluice_client_throttle_seconds_total", scope: ofClient, typ: counter, unit: "seconds",
		value: seconds(sum(throttle)),
		help:  "Time that brokers imposed on the client for its quota, summed over sluice_client_responses_total.",
	},
	{
		name: "kafka_producer_connection_count", kafka: "connection-count", group: producerMetrics,
		scope: ofClient, typ: gauge, unit: "connections", value: present(connections),
		help: "Open connections to brokers.",
	},
	{
		name: "sluice_client_replacements_total", scope: ofClient, typ: counter, unit: "replacements", value: sum(replacements),
		help: "How often the client was replaced by a new one because it failed for good, for example was fenced.",
	},

	// The cluster.
	{
		name: "kafka_producer_metadata_age_seconds", kafka: "metadata-age", group: producerMetrics,
		scope: ofCluster, typ: gauge, unit: "seconds", value: seconds(present(metadataAge)),
		help: "Time since the metadata of the topics were last fetched.",
	},
	{
		name: "sluice_records_open", scope: ofCluster, typ: gauge, unit: "records", value: present(open),
		help: "Records that were accepted and are not yet acknowledged, of all topics.",
	},
	{
		name: "sluice_kafka_ready", scope: ofCluster, typ: gauge, unit: "0 or 1", value: present(ready),
		help: "1 while the cluster answers.",
	},

	// The gateway itself.
	{
		name: "sluice_http_requests_total", scope: ofGateway, typ: counter, unit: "requests", labels: []string{"route", "status"},
		help: "Requests to the data plane that were answered, by HTTP status.",
	},
	{
		name: "sluice_http_request_duration_seconds", scope: ofGateway, typ: histogram, unit: "seconds", labels: []string{"route"},
		help: "Time from a request's headers until its answer.",
	},
	{
		name: "sluice_http_request_bytes_total", scope: ofGateway, typ: counter, unit: "bytes", labels: []string{"route"},
		help: "Request bodies as read, that is compressed if they came so.",
	},
	{
		name: "sluice_http_open_connections", scope: ofGateway, typ: gauge, unit: "connections",
		help: "Open connections to the data plane.",
	},
	{
		name: "sluice_http_receive_memory_bytes", scope: ofGateway, typ: gauge, unit: "bytes",
		help: "What of receive.memory is held by requests being received.",
	},
	{
		name: "sluice_transactions_total", scope: ofGateway, typ: counter, unit: "transactions", labels: []string{"result"},
		help: "Transactions by how they ended: committed; unknown, as the commit was not confirmed (504); fenced, as another gateway uses the same " +
			"ids (409); and without anything stored: refused, a record could not be taken; rejected, Kafka refused a record; failed, Kafka did not take " +
			"the transaction, or not in time; no_client, none was free in time; draining, the gateway was shutting down.",
	},
	{
		name: "sluice_transaction_time_seconds_total", scope: ofGateway, typ: counter, unit: "seconds",
		help: "Time from having a client until the end, summed over sluice_transactions_run_total.",
	},
	{
		name: "sluice_transactions_run_total", scope: ofGateway, typ: counter, unit: "transactions",
		help: "Transactions that had a client, however they ended.",
	},
	{
		name: "sluice_transactions_waiting", scope: ofGateway, typ: gauge, unit: "transactions",
		help: "Transactions that wait for a client.",
	},
	{
		name: "sluice_transaction_clients", scope: ofGateway, typ: gauge, unit: "clients", labels: []string{"state"},
		help: "Kafka clients for transactions: busy, free, or opening, which after a failure means that Kafka does not let them begin.",
	},
	{
		name: "sluice_transactions_fenced", scope: ofGateway, typ: gauge, unit: "0 or 1",
		help: "1 once another gateway was seen to use the same transactional ids: no transaction is taken until the gateway is started again.",
	},
	{
		name: "sluice_idempotency_requests_total", scope: ofGateway, typ: counter, unit: "requests", labels: []string{"result"},
		help: "Requests with an Idempotency-Key: executed; replayed, that is answered from memory; reused, for another request (422); " +
			"in_use, so that waiting was in vain (409); overloaded, because idempotency.max.bytes was in use (503).",
	},
	{
		name: "sluice_idempotency_waits_total", scope: ofGateway, typ: counter, unit: "requests",
		help: "Requests that waited for one with the same Idempotency-Key.",
	},
	{
		name: "sluice_idempotency_forgotten_total", scope: ofGateway, typ: counter, unit: "requests",
		help: "Requests with an Idempotency-Key of which nothing was stored, so that the key may be used again.",
	},
	{
		name: "sluice_idempotency_summaries_total", scope: ofGateway, typ: counter, unit: "answers",
		help: "Answers of which only status and counts were remembered, because they were too large.",
	},
	{
		name: "sluice_idempotency_evictions_total", scope: ofGateway, typ: counter, unit: "answers",
		help: "Answers that were forgotten before idempotency.ttl.ms, to make room in idempotency.max.bytes.",
	},
	{
		name: "sluice_idempotency_entries", scope: ofGateway, typ: gauge, unit: "keys", labels: []string{"state"},
		help: "Idempotency-Keys that are known: in_progress or answered.",
	},
	{
		name: "sluice_idempotency_bytes", scope: ofGateway, typ: gauge, unit: "bytes",
		help: "What of idempotency.max.bytes is in use.",
	},
	{
		name: "sluice_module_linear_memory_bytes", scope: ofGateway, typ: gauge, unit: "bytes",
		help: "Linear memory of all instances of all modules.",
	},
	{
		name: "sluice_module_linear_memory_limit_bytes", scope: ofGateway, typ: gauge, unit: "bytes",
		help: "wasm.memory.total.bytes, which sluice_module_linear_memory_bytes may not pass.",
	},
	{
		name: "sluice_module_candidates_ended_total", scope: ofGateway, typ: counter, unit: "candidates",
		help: "Versions that were tried beside the active one and ended, because they failed too often or did not start.",
	},
	{
		name: "sluice_config_reload_total", scope: ofGateway, typ: counter, unit: "reloads", labels: []string{"result"},
		help: "Reloads of the configuration: done, or failed, which changes nothing.",
	},
	{
		name: "sluice_config_last_reload_timestamp_seconds", scope: ofGateway, typ: gauge, unit: "seconds since 1970",
		help: "When the configuration that is in force was loaded.",
	},
	{
		name: "sluice_build_info", scope: ofGateway, typ: gauge, unit: "1", labels: []string{"version", "go_version"},
		help: "Always 1; the labels are the version of the gateway and of the Go it was built with.",
	},
}, slices.Concat(spoolDescs, schemaDescs[:], moduleDescs[:])...)
