package bench

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestOverloadIsSqueezed(t *testing.T) {
	f := func(args []string, buffer, rate int64, maxRequest int) {
		t.Helper()
		b := &bench{}
		if err := newFlags(b).Parse(args); err != nil {
			t.Fatal(err)
		}
		b.squeeze()
		if k := b.kafka; k.BufferMemory != buffer || k.BrokerRate != rate || k.MaxRequestSize != maxRequest {
			t.Errorf("%q: buffer.memory %d, broker %d/s, max.request.size %d; want %d, %d, %d",
				args, k.BufferMemory, k.BrokerRate, k.MaxRequestSize, buffer, rate, maxRequest)
		}
	}
	f(nil, 64*384*4, 1<<20, 64*384*4)
	f([]string{"--records", "100"}, 64*100*384*4, 64*100*384*10, 1<<20)
	f([]string{"--connections", "1"}, 16384, 1<<20, 16384)
	f([]string{"--broker-rate", "0", "--buffer-memory", "5000000"}, 5_000_000, 0, 1<<20)
}

func TestOverloadIsJudgedByThePeak(t *testing.T) {
	peak := &Result{Goodput: 1000}
	over := &Result{
		Goodput: 950, OfferedPerSecond: 2000, RequestsPerSecond: 1900, Statuses: map[string]int64{"200": 950, "503": 950},
		Server: &ServerUse{PeakRSS: 70 << 20},
	}
	o := overloadReport(peak, over, 30<<20)
	if o.GoodputShare != 0.95 || o.RefusedShare != 0.5 || o.OfferedShare != 0.95 || o.Excess != 40<<20 {
		t.Errorf("report %+v; want 0.95, 0.5, 0.95 and 40 MiB", o)
	}
}

func TestAThrottledBrokerTakesItsTime(t *testing.T) {
	th := &throttle{ctx: t.Context(), rate: 1 << 20, pause: newPause()}
	produce := kmsg.NewPtrProduceRequest()
	produce.Topics = []kmsg.ProduceRequestTopic{{Partitions: []kmsg.ProduceRequestTopicPartition{
		{Records: make([]byte, 20_000)}, {Records: make([]byte, 6_214)}, // together 1/40 MiB: 25 ms
	}}}
	began := time.Now()
	for range 4 {
		if _, err, handled := th.control(produce); err != nil || handled {
			t.Fatalf("control = %v, handled %t; the broker itself must answer", err, handled)
		}
	}
	if took := time.Since(began); took < 99*time.Millisecond {
		t.Errorf("4 x 26,214 bytes at 1 MiB/s passed in %v, want about 100 ms", took)
	}
}
