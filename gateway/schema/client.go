package schema

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
)

// client asks the registries, one after the other until one answers.
type client struct {
	each      []*sr.Client
	preferred atomic.Int64 // that answered last
	stats     *Stats
}

func newClient(cfg config.Schema, stats *Stats) (*client, error) {
	transport, err := newTransport(cfg)
	if err != nil {
		return nil, err
	}
	c := &client{stats: stats}
	for _, u := range cfg.URLs {
		opts := []sr.ClientOpt{
			sr.URLs(u), sr.UserAgent("sluice"),
			sr.HTTPClient(&http.Client{Timeout: cfg.RequestTimeout, Transport: transport, CheckRedirect: sameHost}),
		}
		one, err := sr.NewClient(opts...)
		if err != nil {
			return nil, fmt.Errorf("schema.registry.url = %q: %w", u, err)
		}
		c.each = append(c.each, one)
	}
	return c, nil
}

// sameHost keeps a registry from sending the credentials elsewhere.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) > 5 || r.URL.Host != via[0].URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// transport adds the login to requests, and bounds answers.
type transport struct {
	next          http.RoundTripper
	authorization string
	maxBytes      int64
}

func newTransport(cfg config.Schema) (*transport, error) {
	next := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2 * maxLoads, IdleConnTimeout: 90 * time.Second,
		ForceAttemptHTTP2: true, TLSHandshakeTimeout: cfg.RequestTimeout,
	}
	var err error
	if next.TLSClientConfig, err = tlsConfig(cfg.TLS); err != nil {
		return nil, err
	}
	return &transport{next: next, authorization: cfg.Authorization, maxBytes: int64(cfg.MaxBytes) + answerOverhead}, nil
}

// answerOverhead is what an answer may hold beside a schema: a schema in JSON is longer than the schema.
const answerOverhead = 64 << 10

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.authorization != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", t.authorization)
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{body: resp.Body, left: 2 * t.maxBytes}
	return resp, nil
}

// boundedBody is an error where it gets too long.
type boundedBody struct {
	body io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errors.New("the answer is longer than schema.max.bytes allows")
	}
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }

func tlsConfig(cfg config.SchemaTLS) (*tls.Config, error) {
	out := &tls.Config{ServerName: cfg.ServerName, MinVersion: tls.VersionTLS12}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("schema.registry.ssl.truststore.location: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("schema.registry.ssl.truststore.location: %s holds no certificate in PEM", cfg.CAFile)
		}
	}
	if cfg.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("schema.registry.ssl.keystore: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// do asks until one answers. An answer that says no is one; that a registry fails is none.
func (c *client) do(ctx context.Context, asked string, ask func(context.Context, *sr.Client) error) error {
	if len(c.each) == 0 {
		return &RegistryError{Asked: asked, Message: "schema.registry.url is not set"}
	}
	first := int(c.preferred.Load())
	var last *RegistryError
	for i := range c.each {
		at := (first + i) % len(c.each)
		began := time.Now()
		err := ask(ctx, c.each[at])
		var failed *RegistryError
		if err != nil {
			failed = asRegistryError(asked, err)
		}
		c.stats.request(time.Since(began), failed)
		if failed == nil || !failed.Unavailable() {
			c.preferred.Store(int64(at))
		}
		if failed == nil {
			return nil
		}
		last = failed
		if !failed.Unavailable() || ctx.Err() != nil {
			break
		}
	}
	return last
}
