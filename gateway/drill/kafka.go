package drill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	adminTimeout = 3 * time.Minute
	kafkaPoll    = 100 * time.Millisecond
)

// observer speaks to the brokers themselves, past the proxies and the gateway.
type observer struct {
	bootstrap []string
	client    *kgo.Client
	adm       *kadm.Client
}

func newObserver(bootstrap []string) (*observer, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &observer{bootstrap, cl, kadm.NewClient(cl)}, nil
}

func (o *observer) close() { o.client.Close() }

// until does something until it succeeds: another fault may have the brokers down.
func (o *observer) until(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	for poll := time.Tick(kafkaPoll); ; {
		err := do(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-poll:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// leader is the broker that leads partition 0.
func (o *observer) leader(ctx context.Context, topic string) (id int, err error) {
	err = o.until(ctx, func(ctx context.Context) error {
		topics, err := o.adm.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		p, ok := topics[topic].Partitions[0]
		if !ok || p.Leader < 0 {
			return fmt.Errorf("partition 0 of %s has no leader", topic)
		}
		id = int(p.Leader)
		return nil
	})
	return id, err
}

// controller is the broker that leads the controllers' quorum. Metadata names any broker as controller, so it is not asked.
func (o *observer) controller(ctx context.Context) (id int, err error) {
	err = o.until(ctx, func(ctx context.Context) (err error) {
		id, err = o.quorumLeader(ctx)
		return err
	})
	return id, err
}

func (o *observer) quorumLeader(ctx context.Context) (int, error) {
	req := kmsg.NewPtrDescribeQuorumRequest()
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic = "__cluster_metadata"
	t.Partitions = append(t.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, o.client)
	if err != nil {
		return 0, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, errors.New("the quorum is not described")
	}
	return int(resp.Topics[0].Partitions[0].LeaderID), nil
}

// create creates a topic and waits until all its replicas are in sync.
func (o *observer) create(ctx context.Context, topic string, partitions int, configs map[string]string) error {
	with := make(map[string]*string, len(configs))
	for name, value := range configs {
		with[name] = &value
	}
	err := o.until(ctx, func(ctx context.Context) error {
		_, err := o.adm.CreateTopic(ctx, int32(partitions), -1, with, topic)
		if errors.Is(err, kerr.TopicAlreadyExists) { // an attempt before did it; one that was deleted is gone at once (KRaft)
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	return o.awaitInSync(ctx, topic)
}

// awaitInSync waits until every partition has a leader and all replicas.
func (o *observer) awaitInSync(ctx context.Context, names ...string) error {
	return o.until(ctx, func(ctx context.Context) error {
		topics, err := o.adm.ListTopics(ctx, names...)
		if err == nil && !allInSync(topics, names) {
			err = fmt.Errorf("topics %v are not in sync", names)
		}
		return err
	})
}

func allInSync(topics kadm.TopicDetails, names []string) bool {
	for _, name := range names {
		t := topics[name]
		if t.Err != nil || len(t.Partitions) == 0 {
			return false
		}
		for _, p := range t.Partitions {
			if p.Err != nil || p.Leader < 0 || len(p.ISR) != len(p.Replicas) {
				return false
			}
		}
	}
	return true
}

func (o *observer) delete(ctx context.Context, topic string) error {
	return o.until(ctx, func(ctx context.Context) error {
		_, err := o.adm.DeleteTopic(ctx, topic)
		if errors.Is(err, kerr.UnknownTopicOrPartition) { // an attempt before it did, and its answer was lost
			return nil
		}
		return err
	})
}

func (o *observer) grow(ctx context.Context, topic string, by int) error {
	return o.until(ctx, func(ctx context.Context) error {
		resp, err := o.adm.CreatePartitions(ctx, by, topic)
		if err != nil {
			return err
		}
		return resp.Error()
	})
}

// set sets a configuration of a topic; "" takes it away.
func (o *observer) set(ctx context.Context, topic, name, value string) error {
	change := kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value}
	if value == "" {
		change.Op, change.Value = kadm.DeleteConfig, nil
	}
	return o.until(ctx, func(ctx context.Context) error {
		resp, err := o.adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, topic)
		for _, r := range resp {
			err = errors.Join(err, r.Err)
		}
		return err
	})
}
