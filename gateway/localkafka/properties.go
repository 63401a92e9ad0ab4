package localkafka

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// log4j sends everything to standard output, which is the broker's log file.
const log4j = `rootLogger.level=INFO
rootLogger.appenderRefs=out
rootLogger.appenderRef.out.ref=OUT
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
`

// properties is the server.properties of b in a cluster of all brokers; extra wins.
func (b *Broker) properties(all []*Broker, extra map[string]string) string {
	voters := make([]string, 0, len(all))
	for _, o := range all {
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", o.id, o.ctrlPort))
	}
	replicas := min(len(all), 3)
	inSync := strconv.Itoa(max(replicas-1, 1))
	p := map[string]string{
		"process.roles":                    "broker,controller",
		"node.id":                          strconv.Itoa(b.id),
		"controller.quorum.voters":         strings.Join(voters, ","),
		"listeners":                        fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://127.0.0.1:%d", b.Addr(), b.ctrlPort),
		"advertised.listeners":             "PLAINTEXT://" + b.Addr(),
		"controller.listener.names":        "CONTROLLER",
		"inter.broker.listener.name":       "PLAINTEXT",
		"log.dirs":                         filepath.ToSlash(filepath.Join(b.dir, "data")),
		"num.partitions":                   "3",
		"default.replication.factor":       strconv.Itoa(replicas),
		"min.insync.replicas":              inSync,
		"offsets.topic.num.partitions":     "3",
		"transaction.state.log.min.isr":    inSync,
		"group.initial.rebalance.delay.ms": "0",
		// A dead or paused broker is noticed in seconds, so that tests need not wait for Kafka's patience.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "500",
		"replica.lag.time.max.ms":      "3000",
		// The cleaner's default buffer alone is a third of the heap.
		"log.cleaner.dedupe.buffer.size": "4194304",

		"offsets.topic.replication.factor":         strconv.Itoa(replicas),
		"transaction.state.log.replication.factor": strconv.Itoa(replicas),
		"transaction.state.log.num.partitions":     "3",
	}
	if b.advertised != "" {
		p["listeners"] += ",CLIENT://" + b.ClientAddr()
		p["advertised.listeners"] += ",CLIENT://" + b.advertised
		p["listener.security.protocol.map"] = "PLAINTEXT:PLAINTEXT,CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT"
	}
	maps.Copy(p, extra)
	var s strings.Builder
	for _, k := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&s, "%s=%s\n", k, p[k])
	}
	return s.String()
}
