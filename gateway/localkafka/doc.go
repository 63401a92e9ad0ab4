// Package localkafka runs a real Apache Kafka in KRaft mode as child processes on the loopback, each broker of which can be
// killed, stopped, paused and restarted. It knows no test: kafkatest and the drills are built on it.
//
//	Find      the distribution and the java to run it with
//	Start     a cluster of n brokers, each broker and controller at once
//	Process   a child that does not outlive its parent on Linux, however that ends
//
// On Windows a process cannot be paused or asked to stop.
package localkafka
