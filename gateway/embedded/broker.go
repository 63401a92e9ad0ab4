package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"

	"sluice/gateway/config"
	"sluice/gateway/dirlock"
)

// clusterID is what clients see as the id of the cluster.
const clusterID = "sluice-embedded"

// Broker is a running in-process broker.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	lock    *dirlock.Lock // nil when nothing is kept on disk
	log     *logger
	close   sync.Once
}

// Start listens on cfg.Listen, loads what cfg.DataDir holds, and creates those of topics that are missing with
// cfg.NumPartitions partitions; existing topics keep theirs. Clients may create further topics with the same count.
// Errors name the setting to change. Warnings and errors of the broker go to log.
func Start(cfg config.Embedded, topics []string, log *slog.Logger) (*Broker, error) {
	if cfg.NumPartitions < 1 {
		return nil, fmt.Errorf("embedded.num.partitions must be at least 1, not %d", cfg.NumPartitions)
	}
	lock, err := lockDataDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	ln, err := listen(cfg.Listen)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	b := &Broker{addr: ln.Addr().String(), lock: lock, log: &logger{to: log}}
	if b.cluster, err = kfake.NewCluster(b.options(cfg, ln)...); err != nil {
		return nil, errors.Join(
			fmt.Errorf("embedded.data.dir: cannot load the records in %s: %w; move the folder away to start empty", cfg.DataDir, err),
			ln.Close(), lock.Release())
	}
	if err := b.prepare(cfg, topics); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Broker) options(cfg config.Embedded, ln net.Listener) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID(clusterID),
		kfake.WithLogger(b.log),
		kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(cfg.NumPartitions),
		// kfake asks for a port on 127.0.0.1; the address is the user's choice.
		kfake.ListenFn(func(string, string) (net.Listener, error) { return &guardedListener{ln}, nil }),
	}
	if cfg.DataDir != "" {
		opts = append(opts, kfake.DataDir(cfg.DataDir))
	}
	return opts
}

func (b *Broker) prepare(cfg config.Embedded, topics []string) error {
	if err := forgetSequences(cfg.DataDir); err != nil {
		return err
	}
	for _, t := range topics {
		if b.cluster.TopicInfo(t) != nil {
			continue
		}
		if err := b.cluster.CreateTopic(t, int32(cfg.NumPartitions), nil); err != nil {
			return fmt.Errorf("embedded broker: cannot create topic %q: %w", t, err)
		}
	}
	return nil
}

// forgetSequences removes the producers' sequence numbers once they are loaded. A clean stop writes them anew; after a
// crash they would be older than the log, and refuse the records of every producer that lived on.
func forgetSequences(dir string) error {
	if dir == "" {
		return nil
	}
	err := os.Remove(filepath.Join(dir, "seq_windows.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("embedded.data.dir: %w", err)
	}
	return nil
}

func listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("embedded.listen: %s is in use by another process: stop it, or set embedded.listen to a free port, "+
			"or set kafka.bootstrap.servers to the Kafka that listens there", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded.listen: cannot listen on %q: %w", addr, err)
	}
	return ln, nil
}

// Addr is the host:port that clients connect to.
func (b *Broker) Addr() string { return b.addr }

// Close stops listening, drops the connections, and writes everything to disk. Close the producers first: a request that
// is under way gets no answer. The second call does nothing.
func (b *Broker) Close() error {
	var err error
	b.close.Do(func() {
		b.log.collect()
		b.cluster.Close()
		err = errors.Join(b.log.collected(), b.lock.Release())
	})
	return err
}
