package guest

import (
	"sluice/gateway/config"
	"sluice/gateway/registry"
)

// FromRegistry is a binding that the API made, as one of the configuration.
func FromRegistry(b registry.Binding) config.Binding {
	return config.Binding{
		Module: b.Module, Config: b.Config, OnError: string(b.OnError), Routes: b.Routes, Instances: b.Instances, Fallback: b.Fallback,
	}
}

// Stored returns what the API bound, in use or not.
func (m *Modules) Stored() []Use {
	var all []Use
	for _, t := range m.Registry.AllBindings() {
		for i, b := range t.Interceptors {
			all = append(all, Use{Binding: FromRegistry(b), Topic: t.Topic, Kind: Interceptor, Place: i})
		}
		if t.Partitioner != nil {
			all = append(all, Use{Binding: FromRegistry(*t.Partitioner), Topic: t.Topic, Kind: Partitioner})
		}
	}
	return all
}
