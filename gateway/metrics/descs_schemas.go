package metrics

// schemaDescs is the part of the table that is about serializers and the schema registry.
var schemaDescs = [...]desc{ //nolint:gochecknoglobals // a table that is only read
	{
		name: "sluice_schema_encodes_total", scope: ofGateway, typ: counter, unit: "keys and values", labels: []string{"serializer"},
		help: "Keys and values that a serializer wrote, or looked at and left as they were.",
	},
	{
		name: "sluice_schema_failures_total", scope: ofGateway, typ: counter, unit: "keys and values", labels: []string{"reason"},
		help: "Keys and values that were not written: mismatch, they do not fit; refused, the registry has no schema that can be used; unavailable, " +
			"no schema was known and the registry did not answer.",
	},
	{
		name: "sluice_schema_registry_requests_total", scope: ofGateway, typ: counter, unit: "requests", labels: []string{"result"},
		help: "Requests to schema registries: answered; denied, that is answered with an error about what was asked; failed, so that the next one is asked.",
	},
	{
		name: "sluice_schema_registry_request_seconds_total", scope: ofGateway, typ: counter, unit: "seconds",
		help: "How long all requests to schema registries took.",
	},
	{
		name: "sluice_schema_stale_total", scope: ofGateway, typ: counter, unit: "refreshes",
		help: "Refreshes of what is cached that failed, so that what was known went on.",
	},
	{
		name: "sluice_schema_cache_entries", scope: ofGateway, typ: gauge, unit: "entries", labels: []string{"kind"},
		help: "What is cached of the schema registry: schemas by id, versions of subjects, registrations, and what is known to be missing.",
	},
	{
		name: "sluice_schema_cache_bytes", scope: ofGateway, typ: gauge, unit: "bytes",
		help: "The texts of all cached schemas, with those that they refer to. schema.cache.max.bytes bounds those of each kind of sluice_schema_cache_entries.",
	},
	{
		name: "sluice_schema_cache_lookups_total", scope: ofGateway, typ: counter, unit: "lookups", labels: []string{"result"},
		help: "Look-ups in what is cached of the schema registry: hit, or miss. Schemas that cannot change are not even looked up for every request.",
	},
}
