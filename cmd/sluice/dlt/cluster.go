package dlt

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
	"sluice/gateway/producer"
)

// connectTimeout is how long the cluster may take to answer at all.
const connectTimeout = 15 * time.Second

// Cluster is a connection to the cluster that has the dead letters.
type Cluster struct {
	Tell func(format string, args ...any) // tells of the progress of what takes long; nil if nobody wants to know

	options []kgo.Opt
	client  *kgo.Client
	adm     *kadm.Client
}

// Connect connects to the cluster.
func Connect(ctx context.Context, k config.Kafka) (*Cluster, error) {
	options, err := producer.ClientOptions(k, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	options = append(options, kgo.ClientID("sluice-dlt"))
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("no broker answers at %s (--brokers, or [kafka] of the configuration): %w", strings.Join(k.Bootstrap, ", "), err)
	}
	return &Cluster{options: options, client: client, adm: kadm.NewClient(client)}, nil
}

// Close ends the connection.
func (c *Cluster) Close() { c.client.Close() }

// tellAfter is how long something takes before its progress is told, and how often then.
const tellAfter = 2 * time.Second

// pace tells of progress now and then. It belongs to one goroutine.
type pace struct {
	tell  func(format string, args ...any)
	begun time.Time
	next  time.Time
}

func (c *Cluster) pace() *pace {
	now := time.Now()
	return &pace{tell: c.Tell, begun: now, next: now.Add(tellAfter)}
}

// due says that it is time to tell something.
func (p *pace) due() bool {
	if p.tell == nil {
		return false
	}
	now := time.Now()
	if now.Before(p.next) {
		return false
	}
	p.next = now.Add(tellAfter)
	return true
}

// rate is how many of n there were in a second.
func (p *pace) rate(n int) float64 { return float64(n) / max(time.Since(p.begun).Seconds(), 0.001) }
