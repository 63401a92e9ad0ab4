package producer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// selfSigned makes a certificate for 127.0.0.1 and the PEM file that trusts it.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestSecurity(t *testing.T) {
	cert, ca := selfSigned(t)
	withTLS := []kfake.Opt{kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})}
	withSASL := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "p"), kfake.Superuser("SCRAM-SHA-256", "u", "p"), kfake.Superuser("SCRAM-SHA-512", "u", "p")}
	for name, c := range map[string]struct {
		fake     []kfake.Opt
		security config.Security
		works    bool
	}{
		"TLS":                    {withTLS, config.Security{Protocol: "SSL", TLSCAFile: ca}, true},
		"TLS not trusted":        {withTLS, config.Security{Protocol: "SSL"}, false},
		"PLAIN":                  {withSASL, config.Security{Protocol: "SASL_PLAINTEXT", SASLMechanism: "PLAIN", SASLUsername: "u", SASLPassword: "p"}, true},
		"SCRAM-SHA-256":          {withSASL, config.Security{Protocol: "SASL_PLAINTEXT", SASLMechanism: "SCRAM-SHA-256", SASLUsername: "u", SASLPassword: "p"}, true},
		"SCRAM-SHA-512 over TLS": {append(withSASL, withTLS...), config.Security{Protocol: "SASL_SSL", SASLMechanism: "SCRAM-SHA-512", SASLUsername: "u", SASLPassword: "p", TLSCAFile: ca}, true},
		"wrong password":         {withSASL, config.Security{Protocol: "SASL_PLAINTEXT", SASLMechanism: "PLAIN", SASLUsername: "u", SASLPassword: "x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			fake, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "orders")}, c.fake...)...)
			if err != nil {
				t.Fatal(err)
			}
			defer fake.Close()
			cluster, err := New(config.Kafka{Bootstrap: fake.ListenAddrs(), MetadataMaxAge: time.Minute, Security: c.security}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			r := &rig{t: t, fake: fake, cluster: cluster}
			topic := r.topic("orders", nil)
			if _, err := topic.Partitions(); (err == nil) != c.works {
				t.Fatalf("partitions: %v", err)
			}
			if !c.works {
				return
			}
			b, done := r.batch("orders", 0, "x")
			topic.Append(b)
			wait(t, done)
			if b.Acks[0].Code != record.Stored {
				t.Fatalf("ack = %v %v", b.Acks[0].Code, b.Acks[0].Detail)
			}
		})
	}
}

func TestBadSecurityFilesAreNamed(t *testing.T) {
	for want, s := range map[string]config.Security{
		"ssl.truststore.location":                 {Protocol: "SSL", TLSCAFile: "/nowhere.pem"},
		"ssl.keystore.certificate.chain.location": {Protocol: "SSL", TLSCertFile: "/nowhere.pem", TLSKeyFile: "/nowhere.key"},
		"sasl.mechanism":                          {Protocol: "SASL_SSL", SASLMechanism: "GSSAPI"},
	} {
		_, err := New(config.Kafka{Bootstrap: []string{"127.0.0.1:1"}, MetadataMaxAge: time.Minute, Security: s}, slog.New(slog.DiscardHandler))
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}
