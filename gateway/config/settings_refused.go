package config

import "strings"

// refusedSettings are Java's producer properties that do nothing here. Each says why, and what to use instead.
func refusedSettings() []Setting {
	var out []Setting
	for _, r := range producerRefusals() {
		out = append(out, Setting{
			Section: "producer", Name: r[0], Support: Refused, Reason: r[1], Doc: "Java's producer property.", Java: true,
		})
	}
	for _, r := range append(securityRefusals(), oauthRefusals()) {
		for name := range strings.FieldsSeq(r[0]) {
			out = append(out, Setting{
				Section: "kafka", Name: name, Support: Refused, Reason: r[1], Doc: "Java's client property.", Java: true,
				Secret: strings.Contains(name, "password") || strings.Contains(name, "secret") ||
					strings.Contains(name, "passphrase") || strings.Contains(name, "key"),
			})
		}
	}
	return out
}

// producerRefusals are pairs of a property and the reason.
func producerRefusals() [][2]string {
	return [][2]string{
		{"interceptor.classes", "Java classes cannot be loaded; interceptors of a [topics.*] table are WASM modules"},
		{"partitioner.class", `Java classes cannot be loaded; use partitioner in a [topics.*] table, for example partitioner = "round-robin"`},
		{"key.serializer", "stands in a [topics.*] table, without producer. in front"},
		{"value.serializer", "stands in a [topics.*] table, without producer. in front"},
		{"transactional.id", "stands in [transactions], as transactional.id.prefix: there are several clients for transactions"},
		{"transaction.timeout.ms", "stands in [transactions]"},
		{"transaction.two.phase.commit.enable", "two-phase commit (KIP-939) is not supported by the Kafka client"},
		{"socket.connection.setup.timeout.max.ms", "the time to open a connection does not grow here; use socket.connection.setup.timeout.ms"},
		{"metadata.max.idle.ms", "metadata of a topic is kept as long as a table of the file asks for it"},
		{"metadata.recovery.strategy", "the Kafka client always starts again from bootstrap.servers when it has lost all brokers"},
		{"metadata.recovery.rebootstrap.trigger.ms", "the Kafka client always starts again from bootstrap.servers when it has lost all brokers"},
		{"metric.reporters", "Java classes cannot be loaded; metrics are served for Prometheus at [admin] listen"},
		{"metrics.num.samples", "metrics are counters for Prometheus, which computes rates itself"},
		{"metrics.recording.level", "all metrics are always recorded"},
		{"metrics.sample.window.ms", "metrics are counters for Prometheus, which computes rates itself"},
		{"config.providers", "Java classes cannot be loaded; write the value itself"},
		{"security.providers", "Java classes cannot be loaded; TLS is Go's own"},
	}
}

// securityRefusals are pairs of properties and their common reason.
func securityRefusals() [][2]string {
	return [][2]string{
		{
			`sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin sasl.kerberos.service.name
			sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor`,
			"Kerberos (GSSAPI) is not supported; use PLAIN or SCRAM",
		},
		{
			"sasl.client.callback.handler.class sasl.login.callback.handler.class sasl.login.class",
			"Java classes cannot be loaded; use sasl.username and sasl.password",
		},
		{
			`sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
			sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
			sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms`,
			"it is for logins that expire (OAUTHBEARER, GSSAPI), which are not supported; use PLAIN or SCRAM",
		},
		{"ssl.cipher.suites", "Go chooses the cipher suites, all of them safe ones"},
		{"ssl.enabled.protocols ssl.protocol", "TLS 1.2 and 1.3 are always enabled, and nothing older"},
		{
			"ssl.engine.factory.class ssl.keymanager.algorithm ssl.trustmanager.algorithm ssl.provider ssl.secure.random.implementation",
			"Java classes cannot be loaded; TLS is Go's own",
		},
		{"ssl.key.password ssl.keystore.password", "encrypted keys are not supported; give a PEM file that only the gateway may read"},
		{"ssl.truststore.password", "a PEM truststore has no password"},
		{"ssl.keystore.certificate.chain", "PEM text is not taken from the file; use ssl.keystore.location or ssl.keystore.certificate.chain.location"},
		{"ssl.keystore.key", "PEM text is not taken from the file; use ssl.keystore.location or ssl.keystore.key.location"},
		{"ssl.truststore.certificates", "PEM text is not taken from the file; use ssl.truststore.location"},
	}
}

func oauthRefusals() [2]string {
	return [2]string{
		`sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud
		sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss
		sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
		sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file
		sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase
		sasl.oauthbearer.assertion.template.file sasl.oauthbearer.client.credentials.client.id
		sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.clock.skew.seconds
		sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer sasl.oauthbearer.header.urlencode
		sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
		sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.url
		sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.scope
		sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url`,
		"OAUTHBEARER is not supported; use PLAIN or SCRAM",
	}
}
