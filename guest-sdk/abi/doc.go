// Package abi is the only home of sluice_v1, the contract between the host and a guest: the names that a module exports
// and may import, and the layout of what they share in the guest's linear memory. Everything is little-endian, every
// pointer is an absolute address in linear memory, and a guest changes a record by patching its descriptor in place.
//
// # What a module exports
//
//	memory                             the one memory, exported and not imported
//	sluice_abi_v1 : () -> ()           never called: says statically which contract the module keeps
//	sluice_alloc  : (size i32) -> i32  8-aligned room for the host's input, valid until the next sluice_alloc; 0 = no memory
//	_initialize   : () -> ()           optional, called once before anything else
//	configure     : (ptr i32, len i32) -> i32      optional: UTF-8 JSON [Configuration]; 0 = ok, < 0 = refused
//	partition     : (batch i32, len i32) -> i32    makes it a partitioner; 0 = ok, < 0 = the whole call failed
//	on_send       : (batch i32, len i32) -> i32    makes it an interceptor; the same
//	on_ack        : (acks i32, len i32) -> i32     makes it an interceptor, too; the same
//	close         : () -> i32                      optional, before an instance is given up in good order
//
// # What a module may import from "sluice_v1"
//
//	log          : (level i32, ptr i32, len i32) -> ()  a line for the module's log, see [LevelDebug] to [LevelError]
//	record_error : (index i32, ptr i32, len i32) -> ()  marks one record of the batch failed, with a UTF-8 reason
//	counter_add  : (ptr i32, len i32, delta i64) -> ()  a metric of the module; names match [a-z0-9_]{1,48}
//	now_ms       : () -> i64                            Unix milliseconds, the same throughout one call
//
// and a part of wasi_snapshot_preview1 without files, sockets or clocks that could tell guests apart, and AssemblyScript's
// env.abort, env.seed and env.trace.
//
// # A batch, as partition and on_send see it
//
// The first argument points to a header of [HeaderSize] bytes, the second is the size of the whole input. A guest reads
// what it wants and may write to these fields of a record only: [RecPartition] in partition; in on_send [RecFlags] and
// what a flag stands for. A key, value or list of headers that it sets lives in its own memory and must stay as it is
// until the host calls the instance again. [RecCookie] belongs to the guest: on_ack gets it back, maybe in another
// instance; it is 0 if the record was kept in the gateway's spool on disk. [HdrProgress] may be set to the index of the record being worked on, so that after a trap the host knows
// whom to suspect; the host does not trust it.
//
// # Acknowledgements, as on_ack sees them
//
// The same header with [AcksMagic] and no topics; its records are of [AckSize] bytes.
package abi
