// Package record holds the nouns of the gateway: a [Record], the [Batch] in which the records of one request travel,
// the [Ack] each of them gets exactly once, and the [Code] that says what happened. It imports nothing of ours and knows
// neither HTTP nor a Kafka client.
//
// A batch lives like this: a decoder takes one with [Pool.Batch], copies bytes into its arena with [Batch.Alloc] or
// [Batch.Copy], and adds records with [Batch.Add]. The way of a record then gives every record exactly one Ack with
// [Batch.Complete], or with [Batch.Fail] where the sender of the batch itself refuses it; the last Ack calls the batch's
// Done. Whoever needs the batch longer than that holds it with [Batch.Hold]; the last [Batch.Free] ends it.
package record
