package onack

import sluice "sluice/guest-sdk/go"

//go:wasmexport on_ack
func export(acks, size uint32) int32 { return sluice.EachAck(acks, size, hook) }
