// Package sluicetest runs a module's hooks natively, as an ordinary Go test: it stands where the host stands, writes the
// records into memory as the ABI wants them and reads back what the hook made of them.
//
//	got := sluicetest.OnSend(t, stamp, sluicetest.Batch{Topic: "orders", Records: []sluicetest.Record{{Value: []byte("x")}}})
//	if got.Verdicts[0].Failed != "" { ... }
//
// It says nothing about fuel, memory or time: `sluice module test` runs the compiled module with the limits of production.
package sluicetest
