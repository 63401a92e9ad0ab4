package schema

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
	"sluice/gateway/schema/codec"
)

// maxLoads is how many requests to the registry are under way at once: for ids, and for all else.
const maxLoads = 16

// latest is the version that means the last one.
const latest = -1

// Registry is the schema registry with what is known of it. Its methods may be called from any goroutine.
type Registry struct {
	Stats Stats

	cfg      config.Schema
	compiler *compiler
	client   *client
	log      *slog.Logger
	cancel   context.CancelFunc

	life   sync.Mutex
	wg     sync.WaitGroup // guarded by life where it grows
	closed bool

	byID       *cache[int, *Schema]
	byVersion  *cache[versionKey, *Schema]
	bySubject  *cache[string, *Schema] // the latest version
	registered *cache[registration, *Schema]
}

// versionKey is a version of a subject.
type versionKey struct {
	subject string
	version int
}

// registration is a schema that is to be in a subject.
type registration struct {
	topic, part, subject, strategy string
	text, refs, message            string
	format                         Format
	create, normalize              bool
}

// Open makes a Registry. It asks nobody yet. Without registry.url it only counts what serializers do that need none.
func Open(cfg config.Schema, log *slog.Logger) (*Registry, error) {
	r := &Registry{cfg: cfg, log: log, compiler: newCompiler(&cfg)}
	var err error
	if r.client, err = newClient(cfg, &r.Stats); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	room := make(chan struct{}, maxLoads)
	r.byID = newCache(r, ctx, make(chan struct{}, maxLoads), r.loadID) // whoever makes up ids keeps no topic from its schema
	r.byVersion = newCache(r, ctx, room, r.loadVersion)
	r.bySubject = newCache(r, ctx, room, r.loadLatest)
	r.bySubject.maxAge = cfg.LatestTTL
	r.registered = newCache(r, ctx, room, r.loadRegistered)
	return r, nil
}

func newCache[K comparable](r *Registry, ctx context.Context, room chan struct{}, load func(context.Context, K) (*Schema, error)) *cache[K, *Schema] { //nolint:revive // ctx is of the cache, not of the call
	return &cache[K, *Schema]{
		load: load, missing: r.cfg.MissingTTL, size: r.cfg.CacheSize, bytes: r.cfg.CacheBytes, cost: (*Schema).size, clock: time.Now, ctx: ctx, room: room, spawn: r.spawn,
		entries: make(map[K]*entry[K, *Schema]), down: isUnavailable, patience: r.cfg.RequestTimeout * time.Duration(len(r.cfg.URLs)+1),
		stale: func(_ K, err error) {
			r.Stats.Stale.Add(1)
			r.log.Warn("a schema could not be looked up again; the one that is known stays in use", "error", err)
		},
	}
}

// Close ends what is being looked up.
func (r *Registry) Close() {
	r.cancel()
	r.life.Lock()
	r.closed = true
	r.life.Unlock()
	r.wg.Wait()
}

func (r *Registry) spawn(f func()) bool {
	r.life.Lock()
	defer r.life.Unlock()
	if r.closed {
		return false
	}
	r.wg.Go(f)
	return true
}

// ByID is the schema with an id.
func (r *Registry) ByID(ctx context.Context, id int) (*Schema, error) { return r.byID.get(ctx, id) }

// Version is a version of a subject; 0 is the latest.
func (r *Registry) Version(ctx context.Context, subject string, version int) (*Schema, error) {
	if version <= 0 {
		return r.bySubject.get(ctx, subject)
	}
	return r.byVersion.get(ctx, versionKey{subject, version})
}

// counted is a cache of any keys.
type counted interface {
	len() (known, bytes, missing int)
}

// Cached is the size and use of the cache.
func (r *Registry) Cached() CacheStats {
	var s CacheStats
	add := func(into *int, c counted) {
		known, bytes, missing := c.len()
		*into += known
		s.Bytes += bytes
		s.Missing += missing
	}
	add(&s.Schemas, r.byID)
	add(&s.Subjects, r.byVersion)
	add(&s.Subjects, r.bySubject)
	add(&s.Registrations, r.registered)
	s.Hits = r.byID.hits.Load() + r.byVersion.hits.Load() + r.bySubject.hits.Load() + r.registered.hits.Load()
	s.Misses = r.byID.misses.Load() + r.byVersion.misses.Load() + r.bySubject.misses.Load() + r.registered.misses.Load()
	return s
}

func (r *Registry) loadID(ctx context.Context, id int) (*Schema, error) {
	var s sr.Schema
	err := r.client.do(ctx, fmt.Sprintf("the schema with id %d", id), func(ctx context.Context, c *sr.Client) (err error) {
		s, err = c.SchemaByID(ctx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.newSchema(ctx, sr.SubjectSchema{ID: id, Schema: s})
}

func (r *Registry) loadVersion(ctx context.Context, k versionKey) (*Schema, error) {
	s, err := r.fetchVersion(ctx, k.subject, k.version)
	if err != nil {
		return nil, err
	}
	return r.newSchema(ctx, s)
}

// loadLatest also compiles the schema, so that one that is of no use does not take the place of one that is.
func (r *Registry) loadLatest(ctx context.Context, subject string) (*Schema, error) {
	s, err := r.fetchVersion(ctx, subject, latest)
	if err != nil {
		return nil, err
	}
	if known, ok := r.bySubject.peek(subject); ok && known.ID == s.ID && known.Version == s.Version {
		return known, nil // with what is compiled of it
	}
	out, err := r.newSchema(ctx, s)
	if err != nil {
		return nil, err
	}
	if _, err := out.Codec(codec.Options{MaxDepth: r.cfg.MaxDepth}); err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Registry) fetchVersion(ctx context.Context, subject string, version int) (sr.SubjectSchema, error) {
	asked := fmt.Sprintf("version %d of subject %q", version, subject)
	if version == latest {
		asked = fmt.Sprintf("the latest version of subject %q", subject)
	}
	var s sr.SubjectSchema
	err := r.client.do(ctx, asked, func(ctx context.Context, c *sr.Client) (err error) {
		if s, err = c.SchemaByVersion(ctx, subject, version); err != nil {
			return err
		}
		if version != latest && s.Version != version && s.Version != 0 {
			return fmt.Errorf("it is version %d", s.Version)
		}
		return checkID(s.ID)
	})
	s.Subject = subject
	return s, err
}

// loadRegistered looks a schema up in its subject, or puts it there.
func (r *Registry) loadRegistered(ctx context.Context, k registration) (*Schema, error) {
	refs, err := parseReferences(k.refs)
	if err != nil {
		return nil, err
	}
	text := sr.Schema{Schema: k.text, Type: k.format.registryType(), References: refs}
	out, err := r.newSchema(ctx, sr.SubjectSchema{Subject: k.subject, Schema: text})
	if err != nil {
		return nil, err
	}
	if out.Subject, err = r.subjectOf(k, out); err != nil {
		return nil, err
	}
	if k.normalize {
		ctx = sr.WithParams(ctx, sr.Normalize)
	}
	if k.create {
		out.ID, err = r.Register(ctx, out.Subject, text)
		return out, err
	}
	err = r.client.do(ctx, fmt.Sprintf("the id of a schema in subject %q", out.Subject), func(ctx context.Context, c *sr.Client) error {
		found, err := c.LookupSchema(ctx, out.Subject, text)
		if err != nil {
			return err
		}
		out.ID, out.Version = found.ID, found.Version
		return checkID(found.ID)
	})
	return out, err
}

// subjectOf is the subject of a schema that is compiled to know the name of its record.
func (r *Registry) subjectOf(k registration, s *Schema) (string, error) {
	of := Selector{Topic: k.topic, Part: k.part, Subject: k.subject, Strategy: k.strategy}
	c, err := r.compiler.compile(s.Format, []byte(s.Text), s.refs, codec.Options{MaxDepth: r.cfg.MaxDepth, Message: k.message})
	if err != nil {
		return "", &UnusableError{What: fmt.Sprintf("the %ss of topic %q", k.part, k.topic), Err: err}
	}
	if c.RecordName() == "" && of.Subject == "" && k.strategy != "" && k.strategy != config.StrategyTopicName {
		return "", &UnusableError{What: fmt.Sprintf("the %ss of topic %q", k.part, k.topic), Err: fmt.Errorf("it has no name, and the subject name strategy is %s", k.strategy)}
	}
	return of.subject(c.RecordName()), nil
}

// Register puts a schema into a subject and returns its id. One that is there already is not put there again.
func (r *Registry) Register(ctx context.Context, subject string, s sr.Schema) (id int, err error) {
	err = r.client.do(ctx, fmt.Sprintf("registering a schema in subject %q", subject), func(ctx context.Context, c *sr.Client) (err error) {
		if id, err = c.RegisterSchema(ctx, subject, s, -1, -1); err != nil {
			return err
		}
		return checkID(id)
	})
	return id, err
}
