// Package main is MODULE_NAME, a partitioner: records with the header "priority: high" have partitions of their own, the
// first ones of the topic. All others share the rest, by key as Kafka does it.
package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/murmur2"
	"sluice/guest-sdk/go/partition"
)

func main() {} // is never called: init says what is

func init() { //nolint:gochecknoinits // see main
	l := new(lanes)
	sluice.Configure(l.configure)
	partition.Func(l.partition)
}

type lanes struct {
	reserved int32 // partitions for what is urgent
}

func (l *lanes) configure(c *sluice.Config) error {
	c.Only("reserved")
	n := c.Int("/reserved", 1)
	if n < 1 || n > 1000 {
		return c.Wrong("/reserved", "must be between 1 and 1000")
	}
	l.reserved = int32(n)
	return nil
}

func (l *lanes) partition(r *sluice.Record) int32 {
	if r.Key() == nil || r.Partitions() <= l.reserved {
		return sluice.NotMine
	}
	if priority, _ := r.Header("priority"); string(priority) == "high" {
		return murmur2.Partition(r.Key(), l.reserved)
	}
	return l.reserved + murmur2.Partition(r.Key(), r.Partitions()-l.reserved)
}
