// Package main is the worked example, a region router: orders of the EU have the first half of the partitions, all others
// the second.
package main

import (
	"bytes"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/murmur2"
	"sluice/guest-sdk/go/partition"
)

func main() {} // is never called: init says what is

func init() { partition.Func(choose) } //nolint:gochecknoinits // see main

func choose(r *sluice.Record) int32 {
	half := r.Partitions() / 2
	if r.Key() == nil || half == 0 {
		return sluice.NotMine
	}
	if bytes.HasPrefix(r.Key(), []byte("eu:")) {
		return murmur2.Partition(r.Key(), half)
	}
	return half + murmur2.Partition(r.Key(), r.Partitions()-half)
}
