package producer

import (
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
)

// ClientOptions is how a client connects to the cluster as [kafka] says: bootstrap servers, TLS and SASL. It is for commands
// that have a client of their own.
func ClientOptions(k config.Kafka, log *slog.Logger) ([]kgo.Opt, error) {
	opts, tls, err := baseOptions(k, log)
	if err != nil {
		return nil, err
	}
	if tls != nil {
		opts = append(opts, kgo.DialTLSConfig(tls))
	}
	return opts, nil
}
