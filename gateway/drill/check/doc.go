// Package check judges a history: what senders asked for and were told, against what the topics hold afterwards. It is a
// pure function and knows nothing of the gateway, so that it cannot share its mistakes.
//
//	entry.go    Entry and Outcome: one record of the history, and what its answer promises
//	history.go  Writer and Read: the history as a file of one JSON object per line
//	check.go    Run, Check and Finding
//	rules.go    the promises, one Rule each; more are added to the list. order.go, letters.go, transactions.go: the longer ones
//
// What an answer promises:
//
//	stored         200, and a place among 207    in the log exactly once, there, with the same bytes
//	accepted       202                           the same once the gateway has drained, or a dead letter, unless it was killed
//	               of a topic with a spool       the same, also if it was killed; more than once only after that, or if a broker forgot
//	dead-lettered  a dead letter's place         there exactly once, with the same bytes, and not in the log
//	refused        4xx, 502, 503, no connection  not in the log
//	unknown        500, 504, and no answer       in the log at most once; of a transaction, all its records or none
//
// The log is what a reader of committed records sees.
package check
