package config

import (
	"bytes"
	"slices"
)

// Equal says whether two topics have the same settings. Where in a file their bindings stand does not count: a line that
// was added further up is no reason to set up a topic anew.
func (t Topic) Equal(o Topic) bool {
	return t.Name == o.Name && t.Table == o.Table && t.Profile == o.Profile && t.Producer == o.Producer &&
		t.Partitioner == o.Partitioner && equalPointers(t.PartitionerModule, o.PartitionerModule) &&
		slices.EqualFunc(t.Interceptors, o.Interceptors, Binding.Equal) && t.DeadLetter.Equal(o.DeadLetter) && t.RateLimit == o.RateLimit && t.Spool == o.Spool &&
		t.Key.Equal(o.Key) && t.Value.Equal(o.Value) && equalFroms(t, o)
}

func equalFroms(a, b Topic) bool {
	same := func(a, b *From) bool { return a == b || a != nil && b != nil && *a == *b }
	return same(a.KeyFrom, b.KeyFrom) && same(a.TimestampFrom, b.TimestampFrom) && slices.Equal(a.HeadersFrom, b.HeadersFrom)
}

func equalPointers(a, b *Binding) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

// Equal says whether two bindings mean the same, wherever they stand.
func (b Binding) Equal(o Binding) bool {
	return b.Module == o.Module && b.Path == o.Path && bytes.Equal(b.Config, o.Config) && b.OnError == o.OnError &&
		slices.Equal(b.Routes, o.Routes) && b.Instances == o.Instances && b.Fallback == o.Fallback
}
