package sluice

import "sluice/guest-sdk/go/internal/memory"

// The exports that every module has. Those that decide what a module is are in packages of their own.

//go:wasmexport sluice_abi_v1
func exportMarker() {}

//go:wasmexport sluice_alloc
func exportAlloc(size uint32) uint32 { return memory.Shared.Input(size) }

//go:wasmexport configure
func exportConfigure(at, size uint32) int32 { return ConfigureWith(at, size, self.configure) }

//go:wasmexport close
func exportClose() int32 { return CloseWith(self.close) }
