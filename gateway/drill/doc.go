// Package drill breaks things under load and proves what the gateway answered meanwhile. Senders write down every record and
// its answer (the history); afterwards the topics are read with a Kafka client that shares no code with the gateway, and
// [check.Check] compares the two. `sluice drill` runs it, and `go test ./gateway/drill` a short form.
//
//	drill.go     Drill: the rounds of every fault, one after the other, on one cluster
//	round.go     a round: new topics, a gateway, senders, the fault, recovery, the verdict
//	plan.go      which faults, alone and in pairs
//	faults.go    the faults as data; brokers.go, network.go, topics.go and gateways.go say what they do
//	stage.go     what faults act on
//	cluster.go   a real Kafka of three brokers, each behind a proxy
//	proxy.go     a TCP proxy with weather: latency, bandwidth, silence, resets, closes
//	process.go   the gateway as a child process
//	load.go      senders; request.go what they send, answer.go what they are told
//	kafka.go     the independent client; read.go what it reads in the end
//	spools.go    what the gateway says of its spools, and the fault that fills one
//	foreseen.go  a rule of drills alone
//	report.go    the report as text and JSON
//
// A round's topics have different settings, so that each kind of answer comes up:
//
//	steady  long delivery.timeout.ms, little buffer.memory, max.block.ms = 0; some records with ack=queued
//	brisk   short delivery.timeout.ms: records are given up while they are in flight, and answered 504
//	frail   the one that is deleted, and whose max.message.bytes shrinks
//	fussy   has dead letters: the brokers refuse timestamps that are too far ahead, a module odd records, and delivery.timeout.ms is short
//	spooled cramped   have spools, for records with ack=queued that survive the gateway; that of cramped is small, and gets full
//
// Transactions go over two of them each.
package drill
