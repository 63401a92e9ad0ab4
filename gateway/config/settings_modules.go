package config

import "slices"

// The pseudo sections of a binding's keys: they stand in no table of their own name, but in a [topics.*] table.
const (
	partitionerKeys = "partitioner"
	interceptorKeys = "interceptors"
)

// bindingSections are the sections whose keys stand within a key of a [topics.*] table.
func bindingSections() []string { return []string{partitionerKeys, interceptorKeys} }

// onErrorContinue and the others are what becomes of a record that a module failed on.
const (
	onErrorContinue = "continue"
	onErrorStrict   = "strict"
	onErrorDLQ      = "dlq"
)

// bindingSettings are the keys of a table that binds a module.
func bindingSettings() []Setting {
	return append(append(bindingKeys(partitionerKeys), partitionerOnly()...), append(bindingKeys(interceptorKeys), interceptorOnly()...)...)
}

// bindingKeys are the keys that both kinds of binding have.
func bindingKeys(section string) []Setting {
	return []Setting{
		{
			Section: section, Name: "module", Type: String, Support: Works,
			Doc: "A module's name in the registry; or, with a / in it or .wasm at its end, a file or a folder of source, " +
				"relative to the folder of this file. Required.",
			into: func(t target) any { return &t.b.Module },
		},
		{
			Section: section, Name: "config", Type: Table, Support: Works,
			Doc:  "What the module is configured with: any table; the module gets it as JSON, dates and times as RFC 3339 strings.",
			into: func(t target) any { return &t.b.Config },
		},
		{
			Section: section, Name: "instances", Type: Int, Default: int64(0), Max: 64, Support: Works,
			Doc:  "Instances of the module for this binding, so calls at once; 0 is [wasm] instances.",
			into: func(t target) any { return &t.b.Instances },
		},
	}
}

func partitionerOnly() []Setting {
	return []Setting{
		{
			Section: partitionerKeys, Name: "on_error", Type: Enum, Default: onErrorContinue, Support: Works,
			Values: []string{onErrorContinue, onErrorStrict}, Reason: "must be continue or strict; dlq is for interceptors",
			Doc:  "What becomes of a record that the module fails on: fallback chooses its partition, or it is refused.",
			into: func(t target) any { return &t.b.OnError },
		},
		{
			Section: partitionerKeys, Name: "fallback", Type: Enum, Default: defaultPartitioner, Support: Works,
			Values: PartitionerNames(),
			Doc:    "Who chooses the partition of a record that the module answers -1 for: not mine.",
			into:   func(t target) any { return &t.b.Fallback },
		},
	}
}

func interceptorOnly() []Setting {
	return []Setting{
		{
			Section: interceptorKeys, Name: "on_error", Type: Enum, Default: onErrorContinue, Support: Works,
			Values: []string{onErrorContinue, onErrorStrict, onErrorDLQ},
			Doc: "What becomes of a record that the module fails on: it goes on as if the module were not there, it is refused, " +
				"or it goes to dead_letter.topic. A module that protects something should be strict.",
			into: func(t target) any { return &t.b.OnError },
		},
		{
			Section: interceptorKeys, Name: "routes", Type: Strings, Support: Works,
			Doc:  "The topics that the module may route records to; `*` in a name stands for any characters. Without it there are none.",
			into: func(t target) any { return &t.b.Routes },
		},
	}
}

// defaultPartitioner is Java's.
const defaultPartitioner = "murmur2"

// PartitionerNames are the built-in partitioners.
func PartitionerNames() []string {
	return []string{defaultPartitioner, "crc32", "fnv1a", "round-robin", "sticky", "uniform-bytes"}
}

// isBindingKey says whether name is, or begins with, a key of a binding.
func (x *index) isBindingKey(section, name string) bool {
	return slices.ContainsFunc(x.in(section), func(s *Setting) bool { return isBelow(name, s.Name) })
}
