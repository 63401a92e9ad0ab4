// Package spool keeps entries on disk in the order in which they were appended, until their reader says that it is done with
// them: a queue that survives the process. It knows nothing of what is in the entries.
//
// A folder holds one spool:
//
//	lock                      keeps other processes out
//	00000000000000000000.seg  entries, named after the number of the first; numbers count from 0 and have no gaps
//	position.a, position.b    what the reader is done with, written in turn
//
// Every entry has a checksum (CRC-32C) over its number, its length and its bytes. Appends that wait at the same time share one
// write and one fsync. Segments are deleted when the reader is done with all of their entries.
package spool
