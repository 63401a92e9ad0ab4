// Package producer is steps 4 to 6 of the way of a record: it takes partitioned records into memory that is bounded per
// topic, hands them to a Kafka client, and turns the client's answer into an Ack. It is the only package that talks to
// Kafka; it knows no HTTP.
//
//	Cluster       one Kafka cluster: its clients, and what is known of its topics
//	Topic         one topic's budget of memory and its place in the cluster; Append is step 4
//	budget        buffer.memory and max.block.ms: Java's BufferPool
//	accumulator   the queue between the request goroutines and the one goroutine that feeds a client
//	client        one kgo client per distinct set of client-wide options, replaced when it fails for good
//	group, slot   the records of one batch on their way through kgo; slot.acked is the promise
//	metadata      partition counts and leaders, kept fresh in the background
//	errors        the one table of what errors of Kafka and kgo mean; ERRORS.md is written from it
//	tap           reads along on the wire, for the ledgers and for the metrics that kgo has no hook for
//	book, ledger  which records of a partition may be in the log
//	mend          records that kgo gave up: judged, or sent again without the one at fault
//	Transactions  a pool of transactional clients; a Transaction has one from its begin to its end
//
// Goroutines: one sender per client and one metadata loop per Cluster, and what opens clients of Transactions, all ended by Close; kgo's own.
package producer

//go:generate go test -run TestErrorsReference -update .
