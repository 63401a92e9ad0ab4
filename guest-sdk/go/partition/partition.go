package partition

import sluice "sluice/guest-sdk/go"

var hook func(r *sluice.Record) int32 //nolint:gochecknoglobals,unused // for the export, which has no receiver and is for wasip1 only

// Func sets what chooses the partition of every record: 0 to r.Partitions()-1, or sluice.NotMine for the topic's default
// partitioner.
func Func(f func(r *sluice.Record) int32) { hook = f }
