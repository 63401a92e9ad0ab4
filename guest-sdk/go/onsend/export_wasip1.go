package onsend

import sluice "sluice/guest-sdk/go"

//go:wasmexport on_send
func export(batch, size uint32) int32 { return sluice.EachRecord(batch, size, hook) }
