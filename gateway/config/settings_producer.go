package config

import (
	"math"
	"slices"
)

// producerSettings are Java's producer properties that work, but for compression.*. They stand in [producer], and with
// producer. in front in [topics.*].
func producerSettings() []Setting {
	all := slices.Concat(
		deliverySettings(), retrySettings(), batchSettings(), spreadSettings(), connectionSettings(), socketSettings(),
	)
	for i := range all {
		s := &all[i]
		s.Section, s.Support, s.Java = "producer", Works, s.Name != "profile" && s.Name != "buffer.records" // which are ours
	}
	return all
}

func deliverySettings() []Setting {
	return []Setting{
		{
			Section: "producer", Name: "profile", Type: Enum, Values: profileNames(),
			Doc:  "Settings that go together, see Profiles; a topic's own profile replaces it.",
			into: func(t target) any { return &t.t.Profile },
		},
		{
			Name: "acks", Type: Enum, Default: "all", Values: []string{"all", "-1", "0", "1"},
			Doc: "Who must have a record before it counts as stored: all in-sync replicas, the leader (1), nobody (0).",
		},
		{
			Name: "enable.idempotence", Type: Bool, Default: true,
			Doc:  "A record that is sent again after a lost answer is stored once.",
			into: func(t target) any { return &t.t.Producer.Idempotence },
		},
		{
			Name: "max.in.flight.requests.per.connection", Type: Int, Default: int64(5), Min: 1, Max: maxInt,
			Doc:     "Unanswered requests per broker; at most 5 with idempotence.",
			Differs: "With idempotence it is always 5, which keeps the order too.",
			into:    func(t target) any { return &t.t.Producer.MaxInFlight },
		},
	}
}

func retrySettings() []Setting {
	return []Setting{
		{
			Name: "retries", Type: Int, Default: int64(math.MaxInt32), Max: math.MaxInt32,
			Doc:  "How often a failed send is tried again; the default means until delivery.timeout.ms.",
			into: func(t target) any { return &t.t.Producer.Retries },
		},
		{
			Name: "retry.backoff.ms", Type: Millis, Default: int64(100), Max: maxMs,
			Doc:  "The wait before the first retry; it doubles with each one.",
			into: func(t target) any { return &t.t.Producer.RetryBackoff },
		},
		{
			Name: "retry.backoff.max.ms", Type: Millis, Default: int64(1000), Max: maxMs,
			Doc:     "The longest wait before a retry.",
			Differs: "What a broker refuses for now is tried again after retry.backoff.ms each time; the wait grows only after no answer.",
			into:    func(t target) any { return &t.t.Producer.RetryBackoffMax },
		},
		{
			Name: "delivery.timeout.ms", Type: Millis, Default: int64(120000), Max: maxInt,
			Doc:  "When a record that was accepted and is not acknowledged fails; at least linger.ms + request.timeout.ms.",
			into: func(t target) any { return &t.t.Producer.DeliveryTimeout },
		},
		{
			Name: "request.timeout.ms", Type: Millis, Default: int64(30000), Min: 200, Max: maxInt,
			Doc:     "How long an answer of a broker is waited for.",
			Differs: "Below 200 there is no time left for both the broker and the network.",
			into:    func(t target) any { return &t.t.Producer.RequestTimeout },
		},
	}
}

func batchSettings() []Setting {
	return []Setting{
		{
			Name: "linger.ms", Type: Millis, Default: int64(5), Max: 60000,
			Doc: "How long a record may wait for others to share a batch with.", Differs: "kgo takes at most one minute.",
			into: func(t target) any { return &t.t.Producer.Linger },
		},
		{
			Name: "batch.size", Type: Bytes, Default: int64(16384), Max: maxInt,
			Doc:     "After how many bytes records without a key move on to another partition.",
			Differs: "A batch may grow beyond it within linger.ms, up to max.request.size.",
			into:    func(t target) any { return &t.t.Producer.BatchSize },
		},
		{
			Name: "max.request.size", Type: Bytes, Default: int64(1 << 20), Min: 512, Max: 1 << 30,
			Doc: "The largest request to a broker, and so the largest record.", Differs: "kgo takes from 512 bytes to 1 GiB.",
			into: func(t target) any { return &t.t.Producer.MaxRequestSize },
		},
		{
			Name: "buffer.memory", Type: Bytes, Default: int64(32 << 20), Min: 1, Max: math.MaxInt64,
			Doc:     "Memory for the topic's records from when they are accepted until they are acknowledged.",
			Differs: "It is per topic, and holds records in flight too, whole.",
			into:    func(t target) any { return &t.t.Producer.BufferMemory },
		},
		{
			Name: "buffer.records", Type: Int, Default: int64(0), Max: maxInt,
			Doc: "How many of the topic's records may be accepted and not yet acknowledged, beside buffer.memory: 0 is no limit, else at least 1024, which " +
				"one request may bring at once.",
			into: func(t target) any { return &t.t.Producer.BufferRecords },
		},
		{
			Name: "max.block.ms", Type: Millis, Default: int64(60000), Max: maxMs,
			Doc:  "How long a request may wait while buffer.memory or buffer.records is full; 0 rejects at once. For the metadata of a topic that was never seen it waits as long, but at least a second.",
			into: func(t target) any { return &t.t.Producer.MaxBlock },
		},
	}
}

func spreadSettings() []Setting {
	return []Setting{
		{
			Name: "partitioner.ignore.keys", Type: Bool, Default: false,
			Doc:  "Spread records that have a key as if they had none.",
			into: func(t target) any { return &t.t.Producer.IgnoreKeys },
		},
		{
			Name: "partitioner.adaptive.partitioning.enable", Type: Bool, Default: true,
			Doc:  "Send more records without a key to partitions of faster brokers (KIP-794).",
			into: func(t target) any { return &t.t.Producer.AdaptivePartitioning },
		},
		{
			Name: "partitioner.availability.timeout.ms", Type: Millis, Default: int64(0), Max: maxMs,
			Doc:  "A partition whose broker has taken nothing for so long gets no records without a key; 0 turns it off.",
			into: func(t target) any { return &t.t.Producer.AvailabilityTimeout },
		},
	}
}

func connectionSettings() []Setting {
	return []Setting{
		{
			Name: "client.id", Type: String,
			Doc:     "The name that brokers see of this topic's client; without it [kafka]'s. At most 256 bytes.",
			Differs: "Java numbers its clients producer-1, producer-2; a quota needs a name that stays.",
			into:    func(t target) any { return &t.t.Producer.ClientID },
		},
		{
			Name: "reconnect.backoff.ms", Type: Millis, Default: int64(50), Max: maxMs,
			Doc:  "The wait before a broken connection is opened again; it doubles with each failure.",
			into: func(t target) any { return &t.t.Producer.ReconnectBackoff },
		},
		{
			Name: "reconnect.backoff.max.ms", Type: Millis, Default: int64(1000), Max: maxMs,
			Doc:  "The longest wait before a connection is opened again.",
			into: func(t target) any { return &t.t.Producer.ReconnectBackoffMax },
		},
		{
			Name: "connections.max.idle.ms", Type: Millis, Default: int64(540000), Min: 100, Max: 900000,
			Doc: "When an idle connection to a broker is closed.", Differs: "kgo takes from 100 ms to 15 minutes.",
			into: func(t target) any { return &t.t.Producer.ConnectionsMaxIdle },
		},
	}
}

func socketSettings() []Setting {
	return []Setting{
		{
			Name: "socket.connection.setup.timeout.ms", Type: Millis, Default: int64(10000), Min: 1, Max: maxMs,
			Doc:  "How long opening a connection may take.",
			into: func(t target) any { return &t.t.Producer.ConnectionSetupTimeout },
		},
		{
			Name: "send.buffer.bytes", Type: Bytes, Default: int64(131072), Min: -1, Max: maxInt,
			Doc:  "The socket's send buffer; -1 leaves it to the system.",
			into: func(t target) any { return &t.t.Producer.SendBuffer },
		},
		{
			Name: "receive.buffer.bytes", Type: Bytes, Default: int64(32768), Min: -1, Max: maxInt,
			Doc:  "The socket's receive buffer; -1 leaves it to the system.",
			into: func(t target) any { return &t.t.Producer.ReceiveBuffer },
		},
		{
			Name: "enable.metrics.push", Type: Bool, Default: false,
			Doc:     "Push the client's metrics to the brokers (KIP-714).",
			Differs: "Java's default is true: the gateway has metrics of its own, per topic.",
			into:    func(t target) any { return &t.t.Producer.EnableMetricsPush },
		},
	}
}

// compressionSettings are joined into Producer.Compression by build.
func compressionSettings() []Setting {
	return []Setting{
		{
			Section: "producer", Name: "compression.type", Type: Enum, Default: "none", Support: Works, Java: true,
			Values: []string{"none", "gzip", "snappy", "lz4", "zstd"},
			Doc:    "How batches are compressed.",
		},
		{
			Section: "producer", Name: "compression.gzip.level", Type: Int, Default: int64(-1), Min: -1, Max: 9, Not: []int64{0},
			Support: Works, Java: true, Doc: "From 1 (fast) to 9 (small); -1 is gzip's default.",
		},
		{
			Section: "producer", Name: "compression.lz4.level", Type: Int, Default: int64(9), Min: 1, Max: 17,
			Support: Works, Java: true, Doc: "From 1 to 17; as in Java, the default 9 is the fast compressor.",
		},
		{
			Section: "producer", Name: "compression.zstd.level", Type: Int, Default: int64(3), Min: -131072, Max: 22,
			Support: Works, Java: true, Doc: "From -131072 (fast) to 22 (small); mapped to the four levels of the Go encoder.",
		},
	}
}
