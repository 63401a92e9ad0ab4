// Package partitioner holds the built-in partitioners: Java's, librdkafka's and Sarama's, so that records with a key land
// where the same key landed before the gateway took over, and those that spread records without a key.
//
// A [Partitioner] serves one topic and works on a whole batch at once. It is safe for concurrent use: what goroutines share
// is one atomic word per topic, and it takes no lock.
//
//	name          record with a key          record without one
//	murmur2       Java's default             as uniform-bytes
//	uniform-bytes as murmur2                 one partition for batch.size bytes, then a random one; adaptive (KIP-794)
//	sticky        as murmur2                 one partition for batch.size bytes, then a random other one (KIP-480)
//	crc32         librdkafka's default       a random one for each record
//	fnv1a         Sarama's default           a random one for each record
//	round-robin   the next in turn           the next in turn
//
// Keys choose among all partitions, so that they stay where they are when a leader is lost; everything else chooses among
// those that have a leader now, or among all if none has.
package partitioner
