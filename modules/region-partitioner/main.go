// Package main is region-partitioner: the part of a key before ':' is its region, and the config says which partitions a
// region has. What it does not know is left to the topic's default partitioner.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/partition"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	p := new(partitioner)
	sluice.Configure(p.configure)
	partition.Func(p.partition)
}
