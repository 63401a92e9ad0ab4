// Package realtest proves, on a real Apache Kafka of three brokers, what the gateway promises when it matters. It holds
// tests only:
//
//	million_test.go      a million keyed records: each once, in order, where the answer says, and in the partition that
//	                     Kafka's own Java client chooses
//	paused_test.go       a broker that stops answering: refusals come at once, or after max.block.ms, memory stays within
//	                     its bound, other topics do not notice, and afterwards the answers turn out to be true
//	tiny_test.go         what records cost beside their bytes is within buffer.memory too
//	late_test.go         answers stay true when an outage is longer than delivery.timeout.ms, or than request.timeout.ms
//	killed_test.go       a leader that is killed and restarted under load: nothing lost, nothing twice, order kept
//	drain_test.go        SIGTERM under load: everything accepted is stored, exit status 0; a second signal leaves at once
//	growth_test.go       partitions added while serving
//	acks_test.go         acks 0, 1 and all mean on the wire what Kafka says
//	idle_test.go         what thousands of idle connections cost, and that they do not make others dearer
//
// Where memory, signals or the exit status count, the gateway is the real binary in a process of its own. What was stored
// is read back with kcat, which shares no code with us. Tests log their figures; see them with go test -v. They need what
// kafkatest needs, and skip without it; SLUICE_REALTEST_RECORDS changes the million.
package realtest
