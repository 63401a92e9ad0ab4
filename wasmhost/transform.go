package wasmhost

import (
	"slices"

	"github.com/tetratelabs/wazero/api"

	"sluice/wasmhost/meter"
)

// Modules that a Redpanda data transform imports from. The functions, their types and what they return are those of
// Redpanda's src/v/wasm.
const (
	transformModule = "redpanda_transform"
	registryModule  = "redpanda_schema_registry"
)

// What Redpanda's functions return when they do not return a size.
const (
	noActiveBatch    = -1 // or no record is left in it
	invalidBuffer    = -2 // too small for what is read, or malformed if written
	invalidTopic     = -3 // not a topic that the transform may write to
	registryDisabled = -1
)

// isTransform says whether a module is a Redpanda data transform: it imports one of the functions that exist for this.
func isTransform(info *meter.Info) bool {
	return slices.ContainsFunc(info.Imports, func(i meter.Import) bool {
		return i.Module == transformModule && (i.Name == "check_abi_version_1" || i.Name == "check_abi_version_2")
	})
}

// checkTransform says what keeps a module that imports from Redpanda from being a transform, beside its imports' types
// and its memory.
func checkTransform(info *meter.Info) []meter.Problem {
	if !isTransform(info) {
		return []meter.Problem{{Rule: "import", Message: "it imports from " + transformModule + ", but neither check_abi_version_1 nor check_abi_version_2, by which a Redpanda transform is known"}}
	}
	start, ok := exportsOf(info)["_start"]
	switch {
	case !ok:
		return []meter.Problem{{Rule: "export", Message: "a Redpanda transform exports _start: () -> () (if this is a Go program: build it without -buildmode=c-shared)"}}
	case start.Kind != meter.KindFunction || start.Type.String() != "() -> ()":
		return []meter.Problem{{Rule: "signature", Message: "_start is exported as " + describe(start) + "; it has to be () -> ()"}}
	}
	return nil
}

func importsTransform(info *meter.Info) bool {
	return slices.ContainsFunc(info.Imports, func(i meter.Import) bool { return i.Module == transformModule })
}

// transformFuncs is what Redpanda's SDKs import. A function that was only imported to say so does nothing.
func transformFuncs() []hostFunc {
	returns := func(f func(p *puller, mem api.Memory, s []uint64) int32) func(*callContext, api.Memory, []uint64) {
		return func(c *callContext, mem api.Memory, s []uint64) {
			rc := int32(noActiveBatch)
			if c.pull != nil { // not in a start section, when nothing can be pulled
				rc = f(c.pull, mem, s)
			}
			s[0] = api.EncodeI32(rc)
		}
	}
	marker := func(*callContext, api.Memory, []uint64) {}
	disabled := func(_ *callContext, _ api.Memory, s []uint64) { s[0] = api.EncodeI32(registryDisabled) }
	return []hostFunc{
		{transformModule, "check_abi_version_1", "", "", marker},
		{transformModule, "check_abi_version_2", "", "", marker},
		{transformModule, "read_batch_header", "iiiiiiiiii", "i", returns((*puller).readBatchHeader)},
		{transformModule, "read_next_record", "iiiii", "i", returns((*puller).readNextRecord)},
		{transformModule, "write_record", "ii", "i", returns(func(p *puller, mem api.Memory, s []uint64) int32 {
			return p.write(p.view(mem, s[0], s[1]), nil)
		})},
		{transformModule, "write_record_with_options", "iiii", "i", returns(func(p *puller, mem api.Memory, s []uint64) int32 {
			return p.write(p.view(mem, s[0], s[1]), p.view(mem, s[2], s[3]))
		})},
		{registryModule, "check_abi_version_0", "", "", marker},
		{registryModule, "get_schema_definition_len", "ii", "i", disabled},
		{registryModule, "get_schema_definition", "iii", "i", disabled},
		{registryModule, "get_subject_schema_len", "iiii", "i", disabled},
		{registryModule, "get_subject_schema", "iiiii", "i", disabled},
		{registryModule, "create_subject_schema", "iiiii", "i", disabled},
	}
}
