// Package guest lets modules take part in the way of a record: a [Bound] is an interceptor or the partitioner of a topic
// whose work is done by a guest of wasmhost. It turns batches into what guests see and takes back what they changed, by
// the policy of the binding; and it decides which version of a module sees which record: the active one, a canary or a
// shadow. [Modules] keeps the versions that the registry names loaded and swaps them when it changes.
package guest
