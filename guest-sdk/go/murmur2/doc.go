// Package murmur2 is the hash by which Kafka's Java producer spreads keys over partitions
// (org.apache.kafka.common.utils.Utils.murmur2, with its seed).
package murmur2
