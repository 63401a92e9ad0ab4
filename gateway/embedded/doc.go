// Package embedded is the in-process broker for trying Sluice out: one kfake broker that speaks Kafka's protocol on a
// real port and keeps its records in a folder. It is no Kafka: one node, no replication, no fsync per record, no access
// control. Any Kafka client can read it (kcat -b 127.0.0.1:9092 -C -t orders -e).
//
// This is the only home of kfake outside tests. DESIGN.md says what a crash may cost and why.
package embedded
