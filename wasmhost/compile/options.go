package compile

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"sluice/wasmhost/meter"
)

// Defaults of the settings, used for options that are zero.
const (
	DefaultCPU        = 30 * time.Second
	DefaultWall       = 60 * time.Second
	DefaultMemory     = int64(2 << 30)
	DefaultCacheBytes = int64(1 << 30)
)

// MaxModule is the most that Limits.ModuleBytes may be: what a child takes.
const MaxModule = 64 << 20

// Options says where the compiler keeps its files and what a compilation may take.
type Options struct {
	// Dir holds the cache, and is created if need be. It holds machine code that this process will run, so New refuses one
	// that others could write to. "" keeps everything in memory and compiles in this process, whatever Command says.
	Dir string
	// Command is the argv of a process that calls Child, such as {os.Executable(), "__compile"}. nil compiles in this
	// process, where CPU, Wall and Memory bind nothing and Result.Warnings says so.
	Command []string
	// Limits is what an upload may be. It is part of the cache's key.
	Limits meter.Limits

	CPU    time.Duration // compile.cpu.ms: processor time of the child, rounded up to whole seconds
	Wall   time.Duration // compile.timeout.ms: from its start to its end
	Memory int64         // compile.memory.bytes: address space beyond what an idle Go process has reserved

	// CacheBytes is cache.max.bytes: above it, the files that were used least recently are removed. What was made last
	// stays even if it alone is larger.
	CacheBytes int64

	Log *slog.Logger // nil = none
}

// withDefaults fills in what is zero and refuses what is negative.
func (o Options) withDefaults() (Options, error) {
	for _, v := range []struct {
		setting string
		value   int64
	}{
		{settingCPU, int64(o.CPU)}, {settingWall, int64(o.Wall)}, {settingMemory, o.Memory}, {settingCache, o.CacheBytes},
	} {
		if v.value < 0 {
			return o, fmt.Errorf("%s is negative", v.setting)
		}
	}
	if o.CPU == 0 {
		o.CPU = DefaultCPU
	}
	if o.Wall == 0 {
		o.Wall = DefaultWall
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.Limits == (meter.Limits{}) {
		o.Limits = meter.DefaultLimits()
	}
	if o.Limits.ModuleBytes > MaxModule {
		return o, fmt.Errorf("module.max.bytes = %d is more than %d", o.Limits.ModuleBytes, MaxModule)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dir == "" {
		return o, nil
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("cache directory %s: %w", o.Dir, err)
	}
	o.Dir = dir
	return o, nil
}
