// Package idempotency remembers answers by the Idempotency-Key of their requests
// (draft-ietf-httpapi-idempotency-key-header), so that a request that is sent again is answered and not executed again.
// It knows no HTTP server and no records: what is worth remembering is its caller's to say.
//
//	key.go          ParseKey      the header's value
//	fingerprint.go  Hasher        tells requests apart while they are read
//	table.go        Table.Claim   who is first, who waits, who is answered from memory
//	entry.go        Entry         one key
//
// Memory and time are bounded by Limits. Answers that are remembered make room for newer ones, oldest first; a key whose
// request is in progress is never given up.
package idempotency
