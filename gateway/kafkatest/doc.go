// Package kafkatest gives tests the parts of Kafka they need; nothing but tests may import it.
//
//	Start         a real Apache Kafka of n brokers, each of which can be killed, paused and restarted
//	Shared        the same, started once for all tests of a package, which then use fresh topics
//	Fake          a kfake cluster, for tests that need the protocol and faults but not Kafka itself
//	Distribution  what localkafka, which both are built on, starts brokers from
//	Kcat          the kcat program, for reading back what was written with a client that is not ours
//
// The distribution is looked for at KAFKA_HOME (an unpacked Apache Kafka: anything with libs/*.jar), else at
// ../shared/kafka beside the repository; java at JAVA_HOME, else on the PATH. What is missing skips the test with the
// reason in one line; with SLUICE_REQUIRE_ALL=1 it fails the test instead, so that CI skips nothing. With -short
// the real Kafka is left out, which is how the race detector runs.
//
// The brokers die with the test process on Linux, however it ends. Tests run from the package's folder.
package kafkatest
