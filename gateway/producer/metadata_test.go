package producer

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// TestDeletedTopicStaysDeleted: only who sends to a topic has it created, not the background refresh.
func TestDeletedTopicStaysDeleted(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	const refresh = 100 * time.Millisecond
	c, err := New(config.Kafka{Bootstrap: fake.ListenAddrs(), MetadataMaxAge: refresh, AutoCreateTopics: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := &rig{t: t, fake: fake, cluster: c}
	topic := r.topic("orders", nil)
	if _, err := topic.Partitions(); err != nil {
		t.Fatal("a topic that is asked for was not created:", err)
	}

	cl, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).DeleteTopic(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	refreshed, created := make(chan struct{}, 100), make(chan struct{}, 100)
	fake.ControlKey(int16(kmsg.CreateTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		created <- struct{}{}
		return nil, nil, false
	})
	fake.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		refreshed <- struct{}{}
		return nil, nil, false
	})
	for range 4 { // the third cannot be asked for before the answer to the second was looked at
		wait(t, refreshed)
	}
	if len(created) > 0 {
		t.Error("the background refresh created a topic that was deleted")
	}
	for len(created) == 0 { // once the answer that does not have it was looked at
		if _, err := topic.Partitions(); err != nil && err.Code != record.NotAvailable { // which it is until it is created
			t.Fatal("a topic that is asked for again was not created again:", err)
		}
		wait(t, refreshed)
	}
}

// TestBackgroundRefreshAnswersThoseWhoWait: with refreshes that are always due, who waits could be left waiting by chance.
func TestBackgroundRefreshAnswersThoseWhoWait(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	m := newMetadata(cl, time.Minute, false, slog.New(slog.DiscardHandler)) // its run is not at work
	answered := make(chan *record.Error, 1)
	go func() {
		err, _ := m.request(t.Context(), nil, nil)
		answered <- err
	}()
	for range 50 { // as many background refreshes
		m.refresh(t.Context(), nil)
		select {
		case err := <-answered:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
	t.Error("nobody answered")
}

// TestAbsentTopicsAreNotAskedForEachTime: who meets a topic that is not there gets the answer that somebody just had.
func TestAbsentTopicsAreNotAskedForEachTime(t *testing.T) {
	r := newRig(t)
	var asked atomic.Int64
	r.fake.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		for _, want := range req.(*kmsg.MetadataRequest).Topics {
			if want.Topic != nil && *want.Topic == "nowhere" {
				asked.Add(1)
			}
		}
		return nil, nil, false
	})
	const times = 50
	for range times { // each with what a request for a topic of a glob table has: a Topic of its own
		if _, err := r.topic("nowhere", nil).Partitions(); err == nil || err.Code != record.UnknownTopic {
			t.Fatalf("%v", err)
		}
	}
	if n := asked.Load(); n == 0 || n >= times {
		t.Errorf("the cluster was asked %d times for %d answers", n, times)
	}
	if _, err := kadm.NewClient(r.cluster.admin).CreateTopic(t.Context(), 2, 1, nil, "nowhere"); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); ; {
		p, err := r.topic("nowhere", nil).Partitions()
		if err == nil && p.Count == 2 {
			break
		}
		if time.Since(start) > 30*time.Second {
			t.Fatalf("it was created, and is %v", err)
		}
	}
}
