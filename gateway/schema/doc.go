// Package schema is step 2 of the way of a record: it turns what a sender sent into what is written, by a format alone (JSON,
// text) or by a schema of a schema registry, with the frame in front that Confluent's clients expect: a zero byte and the id of
// the schema. It knows no HTTP of the data plane: the dialects of REST clients, which choose a schema for each record, call
// [Registry.Select] and [Selection.Encode].
//
// A schema that is known is used without asking anybody. What is not known is asked for once, however many records wait for it,
// and not again for a while if there is no good answer. What may change, the latest version of a subject, is asked for again
// beside the records.
package schema
