package partition

import sluice "sluice/guest-sdk/go"

//go:wasmexport partition
func export(batch, size uint32) int32 { return sluice.EachPartition(batch, size, hook) }
