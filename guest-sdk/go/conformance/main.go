// Package main is the conformance guest in Go: guest-sdk/CONFORMANCE.md says what it does.
package main

import (
	"errors"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/onack"
	"sluice/guest-sdk/go/onsend"
	"sluice/guest-sdk/go/partition"
)

func main() {}

func init() { //nolint:gochecknoinits // a module's main is never called
	sluice.Configure(configure)
	sluice.Close(func() error { sluice.Info("close"); return nil })
	onsend.Func(onSend)
	partition.Func(choose)
	onack.Func(onAck)
}

func onSend(r *sluice.Record) error {
	for _, in := range instructions(r) {
		known, err := in.anywhere()
		if err != nil {
			return err
		}
		if !known && !in.plain(r) && !in.withArgument(r) {
			return in.unknown()
		}
	}
	return nil
}

func choose(r *sluice.Record) int32 {
	chosen := sluice.NotMine
	for _, in := range instructions(r) {
		known, err := in.anywhere()
		if err == nil && !known {
			chosen, err = in.choose(r, chosen)
		}
		if err != nil {
			r.Fail(err.Error())
			break
		}
	}
	return chosen
}

func onAck(a *sluice.Ack) {
	if a.Cookie() == 1<<64-1 {
		panic("trap") //nolint:forbidigo // what it is told to do
	}
	var t text
	t.quoted("ack topic=", []byte(a.Topic()))
	t.number(" partition=", int64(a.Partition()))
	t.number(" error=", int64(a.Error()))
	t.number(" offset=", a.Offset())
	t.number(" timestamp=", a.Timestamp())
	t.quoted(" message=", []byte(a.Message()))
	t.unsigned(" cookie=", a.Cookie())
	t.number(" key_size=", int64(a.KeySize()))
	t.number(" value_size=", int64(a.ValueSize()))
	sluice.Info(string(t))
}

func configure(c *sluice.Config) error {
	var t text
	t.quoted("configure topic=", []byte(c.Topic()))
	t.quoted(" module=", []byte(c.Module()))
	t.quoted(" version=", []byte(c.Version()))
	t.quoted(" host=", []byte(c.Host()))
	sluice.Info(string(t))
	if c.Has("/only") {
		c.Only(append([]string{"only", "read", "refuse"}, c.Strings("/only")...)...)
	}
	for _, entry := range c.Strings("/read") {
		read(c, entry)
	}
	if reason := c.String("/refuse", ""); reason != "" {
		return errors.New(reason)
	}
	return nil
}
