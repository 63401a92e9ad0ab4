package config

import "slices"

func kafkaSettings() []Setting {
	return []Setting{
		{
			Section: "kafka", Name: "bootstrap.servers", Type: Strings, Support: Works, Java: true,
			Doc:  `Brokers to start from, host:port, as a list or one string with commas; or "embedded": the in-process broker. Required.`,
			into: func(t target) any { return &t.c.Kafka.Bootstrap },
		},
		{
			Section: "kafka", Name: "client.id", Type: String, Default: "sluice", Support: Works, Java: true,
			Doc:     "The name that brokers see, for quotas and their logs; a topic may have its own with producer.client.id. At most 256 bytes.",
			Differs: "Java numbers its clients producer-1, producer-2; a quota needs a name that stays.",
		},
		{
			Section: "kafka", Name: "client.dns.lookup", Type: Enum, Default: "use_all_dns_ips", Values: []string{"use_all_dns_ips"},
			Support: Works, Java: true, Doc: "All addresses of a broker's name are tried.",
			Differs: "resolve_canonical_bootstrap_servers_only is not supported.",
		},
		{
			Section: "kafka", Name: "metadata.max.age.ms", Type: Millis, Default: int64(60000), Min: 100, Max: 3600000,
			Support: Works, Java: true,
			Doc:     "How often metadata is refreshed without cause: the longest time for which new partitions stay unseen.",
			Differs: "Java's default is 300000: a gateway should see a grown topic sooner. kgo takes at most one hour.",
			into:    func(t target) any { return &t.c.Kafka.MetadataMaxAge },
		},
		{
			Section: "kafka", Name: "auto.create.topics", Type: Bool, Support: Works,
			Doc:  "Create a configured topic that the cluster does not have. True with the embedded broker, else false.",
			into: func(t target) any { return &t.c.Kafka.AutoCreateTopics },
		},
		{
			Section: "kafka", Name: "security.protocol", Type: Enum, Default: "PLAINTEXT", Support: Works, Java: true,
			Values: []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"},
			Doc:    "How brokers are spoken to.",
			into:   func(t target) any { return &t.c.Kafka.Security.Protocol },
		},
	}
}

// securitySettings are the properties of sasl.* and ssl.* that work. build puts the two ways to give a password, and
// the two ways to give a certificate, into one.
func securitySettings() []Setting {
	return slices.Concat(tlsSettings(), keystoreSettings(), []Setting{
		{
			Section: "kafka", Name: "sasl.mechanism", Type: Enum, Support: Works, Java: true,
			Values:  []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"},
			Doc:     "How to log in; required with SASL_PLAINTEXT and SASL_SSL.",
			Differs: "Java's default GSSAPI is not supported, and neither is OAUTHBEARER yet.",
			into:    func(t target) any { return &t.c.Kafka.Security.SASLMechanism },
		},
		{
			Section: "kafka", Name: "sasl.jaas.config", Type: String, Support: Works, Java: true, Secret: true,
			Doc: "Java's way to give user and password: PlainLoginModule or ScramLoginModule with username and password.",
		},
		{
			Section: "kafka", Name: "sasl.username", Type: String, Support: Works,
			Doc:  "The user, instead of sasl.jaas.config (librdkafka's name).",
			into: func(t target) any { return &t.c.Kafka.Security.SASLUsername },
		},
		{
			Section: "kafka", Name: "sasl.password", Type: String, Support: Works, Secret: true,
			Doc:  "The password, instead of sasl.jaas.config (librdkafka's name).",
			into: func(t target) any { return &t.c.Kafka.Security.SASLPassword },
		},
	})
}

func tlsSettings() []Setting {
	return []Setting{
		{
			Section: "kafka", Name: "ssl.truststore.location", Type: String, Support: Works, Java: true,
			Doc:  "A PEM file with the certificates to trust; without it, the system's are trusted.",
			into: func(t target) any { return &t.c.Kafka.Security.TLSCAFile },
		},
		{
			Section: "kafka", Name: "ssl.truststore.type", Type: Enum, Default: "JKS", Values: storeTypes(), Support: Works, Java: true,
			Doc:     "Must be PEM if ssl.truststore.location is set.",
			Differs: "Java's default JKS stays the default, but cannot be read.",
		},
	}
}

func keystoreSettings() []Setting {
	return []Setting{
		{
			Section: "kafka", Name: "ssl.keystore.location", Type: String, Support: Works, Java: true,
			Doc: "A PEM file with the client's private key, not encrypted, and its certificate chain.",
		},
		{
			Section: "kafka", Name: "ssl.keystore.type", Type: Enum, Default: "JKS", Values: storeTypes(), Support: Works, Java: true,
			Doc:     "Must be PEM if ssl.keystore.location is set.",
			Differs: "Java's default JKS stays the default, but cannot be read.",
		},
		{
			Section: "kafka", Name: "ssl.keystore.certificate.chain.location", Type: String, Support: Works,
			Doc:  "A PEM file with the client's certificate chain, if the key is in a file of its own.",
			into: func(t target) any { return &t.c.Kafka.Security.TLSCertFile },
		},
		{
			Section: "kafka", Name: "ssl.keystore.key.location", Type: String, Support: Works,
			Doc:  "A PEM file with the client's private key, not encrypted.",
			into: func(t target) any { return &t.c.Kafka.Security.TLSKeyFile },
		},
		{
			Section: "kafka", Name: "ssl.server.name", Type: String, Support: Works,
			Doc:  "The name that the brokers' certificates must have, if it is not the one that is dialled.",
			into: func(t target) any { return &t.c.Kafka.Security.TLSServerName },
		},
		{
			Section: "kafka", Name: "ssl.endpoint.identification.algorithm", Type: Enum, Default: "https", Values: []string{"https"},
			Support: Works, Java: true, Doc: "The brokers' names are always checked.",
			Differs: "Java turns the check off for an empty string; use ssl.server.name instead.",
		},
	}
}

// storeTypes are known so that the error about them can say what to do; only PEM works.
func storeTypes() []string { return []string{"PEM", "JKS", "PKCS12"} }
