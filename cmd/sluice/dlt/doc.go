// Package dlt is `sluice dlt`: the operator's desk for dead letters. It lists and shows those of a dead-letter topic, sends their
// records again and marks them, so that nothing is sent twice.
//
//	list    cluster.go reads a topic up to where it ended when the command began, filter.go chooses, list.go prints
//	show    show.go: everything about one letter
//	replay  replay.go: the run; gateway.go and kafka.go are the two ways, transaction.go writes the marks
//
// A partition is read twice: first its marks, then its letters, and by a replay once more, after it has counted them. So only
// marks are held in memory, however many letters there are.
//
// Marks are written in Kafka transactions. Those of a replay via Kafka hold the records too: either a record is in its topic and
// marked, or neither. The transactional id is one per dead-letter topic, so that of two replays at once the later one
// fences the earlier one before it looks at its marks.
package dlt
