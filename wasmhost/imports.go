package wasmhost

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost/meter"
)

// hostFunc is a function that guests may import. Its parameters are in stack, and its result goes to stack[0].
type hostFunc struct {
	module, name    string
	params, results string // one letter each: i = i32, I = i64, F = f64
	call            func(c *callContext, mem api.Memory, stack []uint64)
}

// Call implements [api.GoModuleFunction].
func (f *hostFunc) Call(ctx context.Context, mod api.Module, stack []uint64) {
	for i, p := range f.params { // the upper half of a 32-bit parameter is whatever the register held
		if p == 'i' {
			stack[i] = uint64(uint32(stack[i]))
		}
	}
	c, ok := ctx.(*callContext)
	if !ok {
		return
	}
	if c.ended() {
		panic(errUnwound) //nolint:forbidigo // wazero recovers it: there is no other way out of a host function
	}
	if c.in.fuel == nil { // in a start section
		c.in.fuel, _ = mod.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	}
	f.call(c, mod.Memory(), stack)
}

// hostFuncs is everything that guests may import.
func hostFuncs() []hostFunc {
	return slices.Concat(sluiceFuncs(), wasiFuncs(), assemblyScriptFuncs(), transformFuncs())
}

func valueTypes(letters string) []api.ValueType {
	types := make([]api.ValueType, 0, len(letters))
	for _, l := range letters {
		types = append(types, map[rune]api.ValueType{'i': api.ValueTypeI32, 'I': api.ValueTypeI64, 'F': api.ValueTypeF64}[l])
	}
	return types
}

// importTypes is the type of every host function by "module.name".
func importTypes() map[string]string {
	types := make(map[string]string)
	for _, f := range hostFuncs() {
		types[f.module+"."+f.name] = meter.FuncType{Params: valueTypes(f.params), Results: valueTypes(f.results)}.String()
	}
	return types
}

func importModules() []string {
	var names []string
	for _, f := range hostFuncs() {
		if !slices.Contains(names, f.module) {
			names = append(names, f.module)
		}
	}
	return names
}

func (h *Host) instantiateImports(ctx context.Context) error {
	for _, module := range importModules() {
		b := h.runtime.NewHostModuleBuilder(module)
		for _, f := range hostFuncs() {
			if f.module != module {
				continue
			}
			b.NewFunctionBuilder().WithGoModuleFunction(&f, valueTypes(f.params), valueTypes(f.results)).Export(f.name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// text reads n bytes at ptr; nil if they are not in memory.
func text(mem api.Memory, ptr, n uint64) []byte {
	p, ok := mem.Read(uint32(ptr), uint32(n))
	if !ok {
		return nil
	}
	return p
}

func sluiceFuncs() []hostFunc {
	return []hostFunc{
		{abi.Module, "log", "iii", "", func(c *callContext, mem api.Memory, s []uint64) {
			line := text(mem, s[1], s[2])
			c.charge(min(len(line), abi.MaxLine) / perText)
			c.log(min(int(uint32(s[0])), abi.LevelError), line)
		}},
		{abi.Module, "record_error", "iii", "", func(c *callContext, mem api.Memory, s []uint64) {
			reason := text(mem, s[1], s[2])
			c.charge(min(len(reason), abi.MaxReason) * unitsChar)
			c.recordError(uint32(s[0]), reason)
		}},
		{abi.Module, "counter_add", "iiI", "", func(c *callContext, mem api.Memory, s []uint64) {
			c.guest.Stats.counters.add(text(mem, s[0], s[1]), int64(s[2]))
		}},
		{abi.Module, "now_ms", "", "I", func(c *callContext, _ api.Memory, s []uint64) { s[0] = uint64(c.now) }},
	}
}

// recordError marks one record of the call under way.
func (c *callContext) recordError(index uint32, reason []byte) {
	if c.refused < c.acks && int64(index) < int64(c.acks) { // it can fail nothing any more; the reason is for the guest's own log
		c.refused++
	}
	if int64(index) >= int64(len(c.batch)) {
		return
	}
	if len(reason) > abi.MaxReason {
		n := abi.MaxReason
		for n > abi.MaxReason-utf8.UTFMax && !utf8.RuneStart(reason[n]) { // do not cut a character in two
			n--
		}
		reason = reason[:n]
	}
	r := &c.batch[index]
	r.Verdict, r.Cause, r.Reason = Failed, RecordError, readable(reason)
}

// assemblyScriptFuncs is what the AssemblyScript compiler imports by itself. Its strings are UTF-16 with their length in
// bytes in front.
func assemblyScriptFuncs() []hostFunc {
	return []hostFunc{
		{"env", "abort", "iiii", "", func(c *callContext, mem api.Memory, s []uint64) {
			c.log(abi.LevelError, []byte("abort: "+c.utf16At(mem, uint32(s[0]))))
			panic(errAborted) //nolint:forbidigo // wazero recovers it: abort does not return
		}},
		{"env", "seed", "", "F", func(c *callContext, _ api.Memory, s []uint64) {
			s[0] = api.EncodeF64(float64(c.rand.Uint64() >> 11))
		}},
		{"env", "trace", "iiFFFFF", "", func(c *callContext, mem api.Memory, s []uint64) {
			c.log(abi.LevelTrace, []byte(c.utf16At(mem, uint32(s[0]))))
		}},
	}
}
