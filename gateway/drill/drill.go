package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"sluice/gateway/drill/check"
	"sluice/gateway/localkafka"
)

// Options says what to drill.
type Options struct {
	Binary string                  // the sluice to drill, which is started with "serve --config FILE"
	Kafka  localkafka.Distribution // what to start the brokers from
	Dir    string                  // for everything that is written
	Faults []string                // names, "a+b" for both at the same time, "all" for each alone, "pairs" for random pairs
	Rounds int                     // how often
	Hold   time.Duration           // how long a fault lasts
	Rate   int                     // requests per second, all senders together
	Seed   uint64                  // of the pairs
	Keep   bool                    // keep the folders of rounds without findings too

	Compiled string // folder for compiled modules, which other drills may share; "" is one in Dir

	Say func(format string, args ...any) // is told of the progress, line by line
}

// Check says what is wrong with the options, before anything is started.
func (o *Options) Check() error {
	var errs []error
	if o.Rounds < 1 {
		errs = append(errs, fmt.Errorf("rounds must be at least 1, not %d", o.Rounds))
	}
	if o.Rate < 1 {
		errs = append(errs, fmt.Errorf("rate must be at least 1 request per second, not %d", o.Rate))
	}
	if o.Hold < time.Second {
		errs = append(errs, fmt.Errorf("duration must be at least 1s, not %v", o.Hold))
	}
	_, err := plan(o.Faults, o.chance())
	return errors.Join(append(errs, err)...)
}

func (o *Options) chance() *rand.Rand { return rand.New(rand.NewPCG(o.Seed, 0)) }

// drill is one call of Drill.
type drill struct {
	Options
	cluster  *cluster
	observer *observer
	guarded  bool // the fussy topic has a module
	compiled string
	rounds   int // that have begun
}

// Drill runs every round and reports. Its error is what kept it from going on; the report has what was done until then.
func Drill(ctx context.Context, o Options) (*Report, error) {
	report := &Report{Seed: o.Seed, Hold: o.Hold, Rate: o.Rate}
	if err := o.Check(); err != nil {
		return report, err
	}
	kafkaDir := filepath.Join(o.Dir, "kafka")
	if err := os.Mkdir(kafkaDir, 0o755); err != nil { // two drills in one folder would start each other's brokers
		return report, fmt.Errorf("a drill needs a folder of its own: %w", err)
	}
	o.Say("starting %d brokers; the seed of pairs is %d", brokers, o.Seed)
	c, err := startCluster(o.Kafka, kafkaDir)
	if err != nil {
		return report, err
	}
	defer c.close()
	obs, err := newObserver(c.kafka.Bootstrap())
	if err != nil {
		return report, err
	}
	defer obs.close()
	d := &drill{Options: o, cluster: c, observer: obs, guarded: compiler(), compiled: o.Compiled}
	if d.compiled == "" {
		d.compiled = filepath.Join(o.Dir, "compiled")
	}
	if !d.guarded {
		o.Say("there is no go on this machine: no module sends records to the dead letters")
	}
	chance := o.chance()
	for n := 1; n <= o.Rounds; n++ {
		mixes, err := plan(o.Faults, chance)
		if err != nil {
			return report, err
		}
		for _, mix := range mixes {
			v, err := d.round(ctx, n, mix)
			if v != nil {
				report.Rounds = append(report.Rounds, v)
			}
			if err != nil {
				return report, err
			}
		}
	}
	return report, nil
}

// round runs one round. Its error means that there is no use in another.
func (d *drill) round(ctx context.Context, n int, faults []Fault) (*Round, error) {
	d.rounds++
	prefix := fmt.Sprintf("r%d", d.rounds)
	dir := filepath.Join(d.Dir, prefix)
	s := newStage(d.cluster, d.observer, prefix)
	s.guarded, s.shared = d.guarded, d.rounds%2 == 0
	var err error
	if s.gateway, err = newGateway(d.Binary, dir, d.compiled, d.cluster.bootstrap(), s.settings()); err != nil {
		return nil, err
	}
	r := &round{stage: s, faults: faults, hold: d.Hold, settle: settleTime, rate: d.Rate, dir: dir, prefix: prefix, say: d.Say}
	v := &Round{Faults: namesOf(faults)}
	d.Say("round %d of %d: %s", n, d.Rounds, v.name())
	judged, err := r.run(ctx)
	if judged != nil {
		v = judged
	}
	v.Number = n
	if err != nil {
		v.Error, v.Folder = err.Error(), dir
		d.Say("  could not be judged: %v", err)
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		return v, d.cluster.heal()
	}
	d.Say("  %s", v.line())
	d.tidy(ctx, s)
	if v.Found > 0 || d.Keep {
		v.Folder = dir
		return v, nil
	}
	return v, os.RemoveAll(dir)
}

// newStage makes a stage that has no gateway yet.
func newStage(c *cluster, o *observer, prefix string) *stage {
	return &stage{
		cluster: c, observer: o, prefix: prefix, topics: newTopics(prefix), wiped: make(map[string]check.Span), grown: make(map[string]bool),
	}
}

// compiler says whether modules that come with Sluice can be built.
func compiler() bool {
	_, err := exec.LookPath("go")
	return err == nil
}

// tidy deletes the topics of a round, so that a long drill does not slow the brokers down.
func (d *drill) tidy(ctx context.Context, s *stage) {
	for _, topic := range s.all() {
		if err := d.observer.delete(ctx, topic); err != nil {
			d.Say("  warning: topic %s stays: %v", topic, err)
		}
	}
}
