package config

import (
	"fmt"
	"math"
)

// maxInFlightIdempotent is what a broker remembers of an idempotent producer: five batches per partition.
const maxInFlightIdempotent = 5

// conflict is two settings that cannot be together. The error is reported at the one that the file names, rather at a.
type conflict struct {
	a, b string
	rule string // what must hold of a; the error adds b's value and place
}

// producerRules are Java's (ProducerConfig.postProcessParsedConfig, KafkaProducer.configureDeliveryTimeout), with its
// distinction: what was chosen is refused, what was not is adapted. Then ours, which Java finds out later or never.
func producerRules(s settings) []conflict {
	var out []conflict
	out = append(out, idempotenceRules(s)...)
	out = append(out, deliveryRule(s)...)
	backoffRules(s)
	return append(out, memoryRules(s)...)
}

func idempotenceRules(s settings) []conflict {
	if !s.bool("enable.idempotence") {
		return nil
	}
	var out []conflict
	off := ""
	refuse := func(key, value, need string) {
		if s.explicit("enable.idempotence") {
			out = append(out, conflict{key, "enable.idempotence", need + " with enable.idempotence"})
			return
		}
		off = fmt.Sprintf("%s=%s turns idempotence off, as Java does", key, value)
	}
	if s.int("retries") == 0 {
		refuse("retries", "0", "must not be 0")
	}
	if acks := s.string("acks"); acks != "all" {
		refuse("acks", acks, "must be all")
	}
	// Java looks at this before it turns idempotence off, so it refuses it even where it would not matter (KAFKA-17927).
	if s.int("max.in.flight.requests.per.connection") > maxInFlightIdempotent {
		out = append(out, conflict{
			"max.in.flight.requests.per.connection", "enable.idempotence", "must be at most 5 with enable.idempotence",
		})
	}
	if off != "" {
		s.derive("enable.idempotence", false, off)
	} else if len(out) == 0 && s.int("max.in.flight.requests.per.connection") < maxInFlightIdempotent {
		// franz-go has no fewer. Java's users set 1 for the order, which idempotence keeps anyway.
		s.derive("max.in.flight.requests.per.connection", int64(maxInFlightIdempotent), "an idempotent producer has up to 5 here, in order")
	}
	return out
}

func deliveryRule(s settings) []conflict {
	least := min(s.int("linger.ms")+s.int("request.timeout.ms"), math.MaxInt32)
	if s.int("delivery.timeout.ms") >= least {
		return nil
	}
	if s.explicit("delivery.timeout.ms") {
		return []conflict{{
			"delivery.timeout.ms", "request.timeout.ms",
			fmt.Sprintf("must be at least linger.ms + request.timeout.ms = %d", least),
		}}
	}
	s.derive("delivery.timeout.ms", least, "linger.ms + request.timeout.ms, as Java does")
	return nil
}

// backoffRules are CommonClientConfigs.postProcessReconnectBackoffConfigs, and what Java's ExponentialBackoff does when
// the first wait is longer than the longest: it always waits the longest.
func backoffRules(s settings) {
	if s.explicit("reconnect.backoff.ms") && !s.explicit("reconnect.backoff.max.ms") {
		s.derive("reconnect.backoff.max.ms", s.int("reconnect.backoff.ms"), "reconnect.backoff.ms, as Java does")
	}
	for _, name := range []string{"retry.backoff", "reconnect.backoff"} {
		if limit := s.int(name + ".max.ms"); s.int(name+".ms") > limit {
			s.derive(name+".ms", limit, name+".max.ms is shorter, and is waited from the beginning, as Java does")
		}
	}
}

// minBufferRecords is record.MaxBatchRecords: records that are accepted together or not at all.
const minBufferRecords = 1024

func memoryRules(s settings) []conflict {
	var out []conflict
	if n := s.int("buffer.records"); n > 0 && n < minBufferRecords {
		out = append(out, conflict{a: "buffer.records", rule: fmt.Sprintf("must be 0, which is no limit, or at least %d, which one request may bring at once", minBufferRecords)})
	}
	for _, name := range []string{"batch.size", "max.request.size"} {
		if s.int(name) > s.int("buffer.memory") {
			out = append(out, conflict{name, "buffer.memory", "must not be larger than buffer.memory"})
		}
	}
	return out
}

// reachRule refuses a max.request.size that was chosen for records which no request can bring.
func reachRule(s settings, http settings) []conflict {
	limit := http.int("max.inflated.bytes")
	if !s.explicit("max.request.size") || s.int("max.request.size") <= limit {
		return nil
	}
	return []conflict{{
		a:    "max.request.size",
		rule: fmt.Sprintf("must not be larger than http.max.inflated.bytes = %d, or no request could bring such a record", limit),
	}}
}
