// Package gateway is Sluice put together: [New] builds what is quick from a configuration and starts nothing; Run builds topics
// with their modules, serves until its context ends, and then stops in the order written in stop.go.
//
// The way of a record reads from top to bottom in topic.go:
//
//	ingest      request -> records            bytes are copied out of the HTTP server's buffers into pooled slabs
//	topic.Send  1 interceptors                one call per interceptor and batch
//	            2 serializer
//	            3 partitioner                 explicit, else the topic's partitioner
//	            4 append                      buffer.memory: full means reject, or wait up to max.block.ms
//	producer    5 sender                      one goroutine per Kafka client hands records to kgo
//	            6 promise -> Ack
//	topic       7 interceptors' OnAck         own bounded queue and workers, never in the promise
//	ingest      8 respond
//
// Words are Kafka's: record, batch, topic, partition, interceptor, serializer, partitioner, accumulator, linger, in
// flight, acknowledgement. The records of one request that travel together are a record.Batch.
//
// Goroutines: every one is started by Run of a type in gateway.go's list, or inside producer, and has ended when Run
// returns. DESIGN.md holds the decisions.
package gateway
