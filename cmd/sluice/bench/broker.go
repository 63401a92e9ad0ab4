package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// brokerCommand is `sluice bench __broker`: a broker that answers produce requests and stores nothing. It says its address
// on the first line of its output and runs until it is told to stop.
func brokerCommand() *cobra.Command {
	var topic string
	var partitions int32
	var rate int64
	cmd := &cobra.Command{
		Use: "__broker", Hidden: true, Args: cobra.NoArgs, Short: "a broker that stores nothing",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBroker(cmd.Context(), cmd.OutOrStdout(), topic, partitions, rate)
		},
	}
	cmd.Flags().StringVar(&topic, "topic", "bench", "topic to create")
	cmd.Flags().Int32Var(&partitions, "partitions", 3, "its partitions")
	cmd.Flags().Int64Var(&rate, "rate", 0, "bytes of batches it takes per second; 0 for as many as it can")
	return cmd
}

func runBroker(ctx context.Context, out io.Writer, topic string, partitions int32, rate int64) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BlackholeProduce(), kfake.SeedTopics(partitions, topic))
	if err != nil {
		return fmt.Errorf("cannot start the broker: %w", err)
	}
	defer cluster.Close()
	if rate > 0 {
		cluster.ControlKey(int16(kmsg.Produce), (&throttle{ctx: ctx, rate: rate, pause: newPause()}).control)
	}
	if _, err := fmt.Fprintln(out, cluster.ListenAddrs()[0]); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// throttle makes a broker slow, so that overload can be tried where the broker is what limits, and not the processor that
// the gateway shares with the load generator. kfake calls it for one request at a time.
type throttle struct {
	ctx   context.Context //nolint:containedctx // the life of the broker, during which it may sleep
	rate  int64           // bytes per second
	pause *pause
	free  time.Time // when everything so far has been taken
}

// control lets a produce request pass when the bytes before it have been taken.
func (t *throttle) control(r kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's signature
	produce, ok := r.(*kmsg.ProduceRequest)
	if !ok {
		return nil, nil, false
	}
	size := 0
	for _, topic := range produce.Topics {
		for _, p := range topic.Partitions {
			size += len(p.Records)
		}
	}
	if now := time.Now(); t.free.Before(now) {
		t.free = now
	}
	t.free = t.free.Add(time.Duration(float64(size) / float64(t.rate) * float64(time.Second)))
	t.pause.sleep(t.ctx, time.Until(t.free))
	return nil, nil, false // not handled: the broker goes on as usual
}

// ensureTopic creates the topic on a real broker, unless it is there already.
func ensureTopic(ctx context.Context, bootstrap, topic string, partitions int) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(bootstrap, ",")...))
	if err != nil {
		return err
	}
	defer client.Close()
	const brokersDefault = -1
	_, err = kadm.NewClient(client).CreateTopic(ctx, int32(partitions), brokersDefault, nil, topic) //nolint:gosec // at most 10,000
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("cannot create topic %s at %s: %w", topic, bootstrap, err)
	}
	return nil
}
