package config

import "strings"

// topicSettings are the keys of [topics.*] that work, beside producer.*.
func topicSettings() []Setting {
	return []Setting{
		{
			Section: "topics", Name: "profile", Type: Enum, Values: profileNames(), Support: Works,
			Doc:  "Settings that go together, see Profiles.",
			into: func(t target) any { return &t.t.Profile },
		},
		{
			Section: "topics", Name: "partitioner", Type: Enum, Default: defaultPartitioner, Support: Works,
			Values: PartitionerNames(),
			Reason: "must be one of " + strings.Join(PartitionerNames(), ", ") + ", or a table that names a module",
			Doc: "Who chooses the partition: murmur2 is Java's, crc32 librdkafka's, fnv1a Sarama's, uniform-bytes KIP-794's; " +
				"or a table: a WASM module, see below.",
			into: func(t target) any { return &t.t.Partitioner },
		},
		{
			Section: "topics", Name: "interceptors", Type: Tables, Support: Works,
			Doc: "WASM modules that see and change records before they are sent, in this order, at most 16; see below.",
		},
	}
}

// profiles are the fixed sets of producer settings that a profile stands for.
func profiles() map[string]map[string]any {
	return map[string]map[string]any{
		"durable": {
			"acks": "all", "enable.idempotence": true, "max.in.flight.requests.per.connection": int64(5),
			"retries": int64(2147483647), "delivery.timeout.ms": int64(120000), "request.timeout.ms": int64(30000),
			"retry.backoff.ms": int64(100), "batch.size": int64(65536), "linger.ms": int64(10), "compression.type": "lz4",
			"buffer.memory": int64(64 << 20), "max.block.ms": int64(60000),
		},
		"throughput": {
			"acks": "all", "max.in.flight.requests.per.connection": int64(5), "linger.ms": int64(20),
			"batch.size": int64(131072), "compression.type": "lz4", "buffer.memory": int64(128 << 20),
		},
		"low-latency": {
			"acks": "1", "enable.idempotence": false, "max.in.flight.requests.per.connection": int64(1),
			"linger.ms": int64(0), "batch.size": int64(16384), "compression.type": "none",
		},
	}
}

func profileNames() []string { return []string{"durable", "throughput", "low-latency"} }
