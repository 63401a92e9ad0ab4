package producer

import (
	"context"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// extent is what the leader of a partition has of a producer.
type extent struct {
	end        int64 // positions from there on are not in its log; -1 if it did not say
	replicated bool  // what it has is on all replicas that are in sync, which is what acks=all asks for
}

// leaderQuery is questions to the leader of a partition.
type leaderQuery struct {
	k         *kgo.Client
	topic     string
	partition int32
}

// extent asks for the last sequence number of the producer that was at a place, and waits until what the leader has is replicated:
// another one could be elected that lacks it. All answers have to be of one leader, so it asks again if that changes.
func (q leaderQuery) extent(ctx context.Context, at *place, backoff time.Duration) extent {
	if at == nil {
		return extent{end: -1}
	}
	for {
		_, epoch, _ := q.k.PartitionLeader(q.topic, q.partition)
		found := extent{end: q.behind(ctx, at)}
		if found.end < 0 || epoch < 0 {
			return found
		}
		var changed bool
		found.replicated, changed = q.replicated(ctx, epoch, backoff)
		if !changed {
			return found
		}
		q.k.ForceMetadataRefresh()
		if !passes(ctx, backoff) {
			return found
		}
	}
}

// behind is the position behind the last record that the leader has (DescribeProducers, KIP-664); -1 if it does not tell. Nothing of
// an older connection can arrive later: the broker that had it is the one that was restarted.
func (q leaderQuery) behind(ctx context.Context, at *place) int64 {
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = q.topic, []int32{q.partition}
	req := kmsg.NewPtrDescribeProducersRequest()
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, q.k)
	if err != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return -1
	}
	for _, a := range resp.Topics[0].Partitions[0].ActiveProducers {
		if a.ProducerID == at.pid && int16(a.ProducerEpoch) == at.epoch && a.LastSequence >= 0 {
			return at.seqAt + int64((a.LastSequence+1-at.seq)&math.MaxInt32)
		}
	}
	return -1
}

// replicated waits until the leader's high watermark is at the end that its log has now. Changed says that it is not the leader of
// that epoch.
func (q leaderQuery) replicated(ctx context.Context, epoch int32, backoff time.Duration) (yes, changed bool) {
	end, code := q.logEnd(ctx, epoch)
	for code == 0 && end >= 0 {
		var watermark int64
		if watermark, code = q.highWatermark(ctx, epoch); code == 0 && watermark >= end {
			return true, false
		}
		if code == 0 && !passes(ctx, backoff) {
			return false, false
		}
	}
	switch code {
	case kerr.FencedLeaderEpoch.Code, kerr.UnknownLeaderEpoch.Code, kerr.NotLeaderForPartition.Code:
		return false, true
	}
	return false, false
}

// logEnd is the end of the leader's log, replicated or not: that of its current epoch (OffsetForLeaderEpoch, KIP-320). It is -1 if the
// leader does not tell.
func (q leaderQuery) logEnd(ctx context.Context, epoch int32) (end int64, code int16) {
	p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = q.partition, epoch, epoch
	t := kmsg.NewOffsetForLeaderEpochRequestTopic()
	t.Topic, t.Partitions = q.topic, append(t.Partitions, p)
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID, req.Topics = -1, append(req.Topics, t)
	resp, err := req.RequestWith(ctx, q.k)
	if err != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return -1, 0
	}
	found := resp.Topics[0].Partitions[0]
	return found.EndOffset, found.ErrorCode
}

// highWatermark is the end of what is replicated, -1 if the leader does not tell.
func (q leaderQuery) highWatermark(ctx context.Context, epoch int32) (offset int64, code int16) {
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.Timestamp = q.partition, epoch, -1 // the latest
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = q.topic, append(t.Partitions, p)
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.Topics = -1, append(req.Topics, t)
	resp, err := req.RequestWith(ctx, q.k)
	if err != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return -1, 0
	}
	found := resp.Topics[0].Partitions[0]
	return found.Offset, found.ErrorCode
}
