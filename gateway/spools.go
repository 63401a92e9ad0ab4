package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"sluice/gateway/config"
	"sluice/gateway/producer"
	"sluice/gateway/record"
	"sluice/gateway/spool"
)

// spools is the open spools, by their folders.
type spools struct {
	cluster *producer.Cluster
	pool    *record.Pool
	route   routeFunc
	log     *slog.Logger

	mu       sync.Mutex
	byFolder map[string]*topicSpool
	roots    []spoolRoot
	closed   bool
	closers  sync.WaitGroup // of spools that went away
}

func (g *Gateway) newSpools() *spools {
	return &spools{cluster: g.cluster, pool: g.pool, route: g.route, log: g.log, byFolder: make(map[string]*topicSpool)}
}

// open returns the spool of a topic that has one. Nothing is sent until it is used.
func (s *spools) open(cfg config.Topic) (*topicSpool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	folder := spoolFolder(cfg)
	if q := s.byFolder[folder]; q != nil {
		if !q.keep() {
			return nil, fmt.Errorf("spool.dir = %q: the spool is just being closed; try again", cfg.Spool.Dir)
		}
		return q, nil
	}
	if s.closed {
		return nil, errors.New("the gateway is stopping")
	}
	q := &topicSpool{
		name: cfg.Name, folder: folder, cluster: s.cluster, pool: s.pool, route: s.route, log: s.log.With("topic", cfg.Name, "spool", folder),
		drain: make(chan struct{}), drained: make(chan struct{}), halt: make(chan struct{}), halted: make(chan struct{}), ended: make(chan struct{}),
		wake: make(chan struct{}, 1),
	}
	out, err := s.cluster.Patient(cfg)
	if err != nil {
		return nil, err
	}
	disk, found, err := spool.Open(folder, spoolOptions(&cfg.Spool))
	if err != nil {
		s.cluster.Retire(context.Background(), out)
		return nil, fmt.Errorf("spool.dir = %q: %w", cfg.Spool.Dir, err)
	}
	q.disk, q.track = disk, newSpoolTrack(found.Position)
	q.out.Store(out)
	q.cfg.Store(&cfg)
	q.publish()
	q.reader, q.retire = disk.Reader(q.track.next), s.retire
	q.tell(found)
	s.byFolder[folder] = q
	return q, nil
}

// tell logs what was found.
func (q *topicSpool) tell(found spool.Found) {
	if found.Torn > 0 {
		q.log.Warn("the end of the spool was not written whole and is cut off; it was not answered", "bytes", found.Torn)
	}
	if found.NotDone {
		q.log.Warn("the spool has no position that can be read; all that it has is sent, again if it was sent before")
	}
	if records, bytes := q.waiting(); records > 0 {
		q.log.Info("the spool has records that are not stored", "records", records, "bytes", bytes)
	}
}

// use makes t the topic whose stages the records of its spool take.
func (s *spools) use(t *Topic, q *topicSpool) {
	q.topic.Store(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.spool == q {
		s.activate(q)
		old := q.cfg.Swap(&t.cfg)
		q.disk.SetOptions(spoolOptions(&t.cfg.Spool))
		if old.Producer != t.cfg.Producer {
			s.renew(q, t.cfg)
		}
	}
	q.start.Do(func() { go q.run() })
}

// activate makes q the spool that its topic uses. What others of the topic have comes before what q gets from now on.
func (s *spools) activate(q *topicSpool) {
	if q.active {
		return
	}
	_, at := q.disk.Used()
	for _, o := range s.byFolder {
		if o == q || o.name != q.name {
			continue
		}
		o.active = false
		_, upTo := o.disk.Used()
		q.mu.Lock()
		q.barriers = append(q.barriers, spoolBarrier{at, o, upTo})
		q.mu.Unlock()
	}
	q.active = true
}

// renew has the spool send with other producer settings, once nothing is under way with those before.
func (s *spools) renew(q *topicSpool, cfg config.Topic) {
	out, err := s.cluster.Patient(cfg)
	if err != nil {
		q.log.Error("the producer settings of the spool stay as they were", "error", err)
		return
	}
	q.mu.Lock()
	before := q.renewed
	q.renewed = out
	q.mu.Unlock()
	if before != nil {
		s.cluster.Retire(context.Background(), before)
	}
	q.awake()
}

// retire gives up the producing side of a spool that has no record under way.
func (s *spools) retire(out *producer.Topic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed { // else the cluster closes all
		s.cluster.Retire(context.Background(), out)
	}
}

// keep says that the spool is used. It is false if it is too late for that.
func (q *topicSpool) keep() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.sealed || q.stopped {
		return false
	}
	q.closing = false
	return true
}

// settle gives every spool the topic that uses it in set. A spool that no topic uses any more is emptied and closed; if its topic is
// gone, its records stay where they are.
func (s *spools) settle(set *Topics) {
	for _, q := range s.all() {
		cfg, ok := set.settings(q.name)
		if !ok {
			s.leave(q, "its topic is not in the configuration any more")
			continue
		}
		t, err := set.find(q.name)
		if err != nil {
			if q.topic.Load() == nil {
				s.leave(q, err.Error())
			}
			continue // as before, until the topic is asked for
		}
		if cfg.Spool.Dir == "" || spoolFolder(cfg) != q.folder {
			s.letGo(q)
		}
		s.use(t, q)
	}
}

// letGo closes a spool when it is empty, unless it is used again.
func (s *spools) letGo(q *topicSpool) {
	q.mu.Lock()
	was := q.closing
	q.closing = true
	q.mu.Unlock()
	if was {
		return
	}
	records, _ := q.waiting()
	q.log.Warn("the topic does not use this spool any more; it is closed when its records are stored", "records", records)
	s.closeLater(q)
	q.awake()
}

func (s *spools) closeLater(q *topicSpool) {
	q.goes.Do(func() { s.closers.Go(func() { s.closeEnded(q) }) })
}

func (s *spools) all() []*topicSpool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*topicSpool, 0, len(s.byFolder))
	for _, q := range s.byFolder {
		all = append(all, q)
	}
	return all
}

// leave closes a spool as it is.
func (s *spools) leave(q *topicSpool, why string) {
	if records, _ := q.waiting(); records > 0 {
		q.log.Error("records stay in the spool and are not sent", "records", records, "reason", why)
	}
	q.stop()
	s.closeLater(q)
}

// forget closes a spool that was opened for a topic that turned out not to be there.
func (s *spools) forget(q *topicSpool) {
	if q != nil && q.topic.Load() == nil {
		s.leave(q, "the topic is not there")
	}
}

// closeEnded closes a spool once its goroutine has ended.
func (s *spools) closeEnded(q *topicSpool) {
	<-q.ended
	q.close()
	s.mu.Lock()
	if s.byFolder[q.folder] == q {
		delete(s.byFolder, q.folder)
	}
	s.mu.Unlock()
	s.retire(q.out.Load())
}

// spoolTopics is the topics of which there are entries in a folder of spools.
func spoolTopics(dir string) []string {
	var names []string
	for _, path := range spoolSegments(dir) {
		name := strings.TrimSuffix(filepath.Base(filepath.Dir(path)), spoolSuffix)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// spoolSegments is the files of entries in a folder of spools.
func spoolSegments(dir string) []string {
	all, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*"+spoolSuffix, "*.seg"))
	if err != nil {
		return nil
	}
	return all
}

// escapeGlob is dir as a pattern that matches nothing else.
func escapeGlob(dir string) string {
	if os.PathSeparator == '\\' {
		return dir // Windows has no escape, and no such names
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// warnOfLeftSpools tells of spools that have records and that no topic of the configuration uses: nobody sends them.
func (s *Topics) warnOfLeftSpools() {
	looked := map[string]bool{}
	for _, table := range s.cfg.Tables() {
		cfg, ok := s.cfg.Topic(table)
		if !ok || cfg.Spool.Dir == "" || looked[cfg.Spool.Dir] {
			continue
		}
		looked[cfg.Spool.Dir] = true
		for _, name := range spoolTopics(cfg.Spool.Dir) {
			if own, ok := s.settings(name); !ok || own.Spool.Dir != cfg.Spool.Dir {
				s.log.Warn("a spool may have records that nobody sends, as its topic has no spool.dir, or another", "topic", name, "spool.dir", cfg.Spool.Dir)
			}
		}
	}
}

// wakeSpools sees to the topics of glob tables that have records in their spools: they are sent before anybody asks for the topic.
func (s *Topics) wakeSpools() {
	s.warnOfLeftSpools()
	for _, table := range s.cfg.Tables() {
		cfg, ok := s.cfg.Topic(table)
		if !ok || !isGlob(table) || cfg.Spool.Dir == "" {
			continue
		}
		for _, name := range spoolTopics(cfg.Spool.Dir) {
			if own, ok := s.settings(name); !ok || own.Table != table {
				continue
			}
			if _, err := s.find(name); err != nil {
				s.log.Error("the spool of a topic has records that are not sent", "topic", name, "error", err)
			}
		}
	}
}
