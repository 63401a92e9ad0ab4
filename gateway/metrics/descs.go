package metrics

// Kafka's groups, which are the types of its MBeans in kafka.producer.
const (
	producerMetrics = "producer-metrics"
	topicMetrics    = "producer-topic-metrics"
)

// descs is the table of all metrics, in the order of METRICS.md.
var descs = [...]desc{ //nolint:gochecknoglobals // a table that is only read
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
		name: "sluice_buffer_over_80_percent", scope: ofTopic, typ: gauge, unit: "0 or 1", value: anyOf(nearlyFull),
		help: "1 while a topic of the table has more than 80 % of its buffer.memory in use.",
	},
	{
		name: "kafka_producer_buffer_exhausted_rate", kafka: "buffer-exhausted-rate", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "records per second", value: rate(exhausted),
		help: "Records that were refused because buffer.memory was full and stayed so for max.block.ms.",
	},
	{
		name: "kafka_producer_buffer_exhausted_total", kafka: "buffer-exhausted-total", group: producerMetrics,
		scope: ofTopic, typ: counter, unit: "records", value: sum(exhausted),
		help: "Records that were refused because buffer.memory was full and stayed so for max.block.ms.",
	},
	{
		name: "kafka_producer_bufferpool_wait_time_seconds_total", kafka: "bufferpool-wait-time-ns-total", group: producerMetrics,
		scope: ofTopic, typ: counter, unit: "seconds", value: seconds(sum(wait)),
		help: "Time that requests waited for buffer.memory, summed over requests. Java's is in nanoseconds.",
	},
	{
		name: "kafka_producer_bufferpool_wait_ratio", kafka: "bufferpool-wait-ratio", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "ratio", value: share(wait),
		help: "Time that requests waited for buffer.memory, as part of the time: above 1 if several wait at once. " +
			"A wait counts when it ends.",
	},
	{
		name: "kafka_producer_waiting_threads", kafka: "waiting-threads", group: producerMetrics,
		scope: ofTopic, typ: gauge, unit: "requests", value: present(waiting),
		help: "Requests that wait for buffer.memory.",
	},
	{
		name: "sluice_on_ack_dropped_total", scope: ofTopic, typ: counter, unit: "acknowledgements", value: sum(onAckDropped),
		help: "Acknowledgements that interceptors were not told of, because their queue was full.",
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
		name: "sluice_module_linear_memory_bytes", scope: ofGateway, typ: gauge, unit: "bytes",
		help: "Linear memory of all instances of all modules.",
	},
	{
		name: "sluice_module_linear_memory_limit_bytes", scope: ofGateway, typ: gauge, unit: "bytes",
		help: "wasm.memory.total.bytes, which sluice_module_linear_memory_bytes may not pass.",
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

	// Modules: a hook, and a version, in all topics together.
	{
		name: "sluice_module_calls_total", scope: ofHook, typ: counter, unit: "calls",
		help: "Calls of a hook: one for a batch, and more where records on which the hook fails are looked for.",
	},
	{
		name: "sluice_module_records_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records of the batches with which a hook was called, for on_ack their acknowledgements.",
	},
	{
		name: "sluice_module_records_changed_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records that a hook changed, and neither dropped nor routed.",
	},
	{
		name: "sluice_module_records_dropped_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records that a hook dropped.",
	},
	{
		name: "sluice_module_records_routed_total", scope: ofHook, typ: counter, unit: "records",
		help: "Records that a hook routed to another topic.",
	},
	{
		name: "sluice_module_record_errors_total", scope: ofHook, typ: counter, unit: "records", labels: []string{"reason"},
		help: "Records that a hook failed, failed on, or could not see (breaker_open, no_instance), by reason.",
	},
	{
		name: "sluice_module_call_duration_seconds", scope: ofHook, typ: histogram, unit: "seconds",
		help: "Wall-clock time of calls of a hook.",
	},
	{
		name: "sluice_module_call_fuel", scope: ofHook, typ: histogram, unit: "units of fuel",
		help: "Fuel that calls of a hook used: work by the count of instructions, the same on every machine.",
	},
	{
		name: "sluice_module_memory_bytes", scope: ofVersion, typ: gauge, unit: "bytes",
		help: "Linear memory of the instances.",
	},
	{
		name: "sluice_module_instances", scope: ofVersion, typ: gauge, unit: "instances", labels: []string{"state"},
		help: "Instances: live is all of them, idle those of them that are not in a call.",
	},
	{
		name: "sluice_module_instances_discarded_total", scope: ofVersion, typ: counter, unit: "instances",
		help: "Instances that were thrown away because a call failed.",
	},
	{
		name: "sluice_module_instances_recycled_total", scope: ofVersion, typ: counter, unit: "instances",
		help: "Instances that were replaced because they were old or their memory had grown.",
	},
	{
		name: "sluice_module_instance_starts_failed_total", scope: ofVersion, typ: counter, unit: "instances",
		help: "Instances that could not be made.",
	},
	{
		name: "sluice_module_instance_wait_seconds", scope: ofVersion, typ: histogram, unit: "seconds",
		help: "Time that batches waited for an instance. Those that found one idle are not counted.",
	},
	{
		name: "sluice_module_log_lines_dropped_total", scope: ofVersion, typ: counter, unit: "lines",
		help: "Lines of a module's log beyond wasm.log.lines.per.second.",
	},
	{
		name: "sluice_module_counter_total", scope: ofVersion, typ: counter, unit: "what the module counts", labels: []string{"name"},
		help: "Counters that a module made itself. A module may add a negative number, which rate() takes for a restart.",
	},
	{
		name: "sluice_module_counters_refused_total", scope: ofVersion, typ: counter, unit: "calls",
		help: "How often a module named a counter that is not allowed, or one beyond wasm.counters.max.",
	},
	{
		name: "sluice_module_breaker_state", scope: ofVersion, typ: gauge, unit: "0, 1 or 2", labels: []string{"topic"},
		help: "State of the circuit breaker: 0 closed, 1 half-open, 2 open; the worst of the table's topics.",
	},
	{
		name: "sluice_module_version_info", scope: ofVersion, typ: gauge, unit: "1", labels: []string{"role"},
		help: "Always 1; the role of a version that serves is active, canary or shadow.",
	},

	// Modules as topics use them.
	{
		name: "sluice_module_shadow_compared_total", scope: ofBinding, typ: counter, unit: "records", value: sum(compared),
		help: "Records that a shadow saw too.",
	},
	{
		name: "sluice_module_shadow_differed_total", scope: ofBinding, typ: counter, unit: "records", value: sum(differed),
		help: "Records of which a shadow made something else than the active version.",
	},
	{
		name: "sluice_module_dead_lettered_total", scope: ofBinding, typ: counter, unit: "records", value: sum(deadLettered),
		help: "Records that went to the dead-letter topic because the module failed.",
	},
}
