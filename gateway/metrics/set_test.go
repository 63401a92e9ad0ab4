package metrics

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// clock is a time that only moves when it is told to.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{at: time.Unix(1_700_000_000, 0)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

// scrape gets and parses /metrics as Prometheus would.
func scrape(t *testing.T, s *Set) map[string]*dto.MetricFamily {
	t.Helper()
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d", resp.StatusCode)
	}
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// key is a metric's name and its labels in the order of their names, as "name a=1 b=2".
func key(name string, m *dto.Metric) string {
	for _, l := range m.GetLabel() {
		name += " " + l.GetName() + "=" + l.GetValue()
	}
	return name
}

// values is a scrape as numbers, without the figures of Go and the process. A histogram is its number of samples.
func values(t *testing.T, s *Set) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for name, f := range scrape(t, s) {
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue
		}
		for _, m := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				all[key(name, m)] = m.GetCounter().GetValue()
			case dto.MetricType_HISTOGRAM:
				all[key(name, m)] = float64(m.GetHistogram().GetSampleCount())
			default:
				all[key(name, m)] = m.GetGauge().GetValue()
			}
		}
	}
	return all
}

// full is a snapshot in which every figure is different.
func full() Snapshot {
	return Snapshot{
		Topics: []Topic{{
			Source: 1, Name: "logs.a", Table: "logs.*", Appended: 1000, Acked: 900, Failed: 30, Refused: 60, Exhausted: 6,
			Bytes: 250_000, MaxRecord: 777, Wait: 3 * time.Second, Queue: 20 * time.Second, QueueGroups: 400,
			MaxQueue: 1500 * time.Millisecond, OnAckDropped: 13, DeadLetters: 21, DeadLettersFailed: 22, DeadLetterMemory: 2300,
			Spooled: 31, SpoolRefused: 32, SpoolStored: 33, SpoolAgain: 34, SpoolTwice: 35, SpoolLost: 36, SpoolSyncs: 4, SpoolSync: 500 * time.Millisecond,
			MaxSpoolSync: 250 * time.Millisecond, SpoolWaiting: 38, SpoolBytes: 39, SpoolAge: 40 * time.Second,
			BufferTotal: 64000, BufferAvailable: 6400, BufferRecords: 71, Waiting: 7,
		}},
		Outcomes: []Outcome{{Source: 1, Table: "logs.*", Code: "buffer_full", Class: "retriable", Records: 61}},
		Clients: []Client{{
			Source: 1, ID: "sluice", BatchSize: 16384, Requests: 300, Batches: 600, Records: 930, BatchBytes: 2_457_600,
			MaxBatch: 16000, Retries: 12, InFlight: 5, Responses: 200, Latency: 4 * time.Second,
			MaxLatency: 250 * time.Millisecond, Throttle: 500 * time.Millisecond, MaxThrottle: 100 * time.Millisecond,
			Uncompressed: 8000, Compressed: 2000, Connections: 3, Replacements: 2,
		}},
		Cluster:  Cluster{Open: 70, Ready: true, MetadataAge: 90 * time.Second},
		Bindings: []Binding{{Source: 1, Module: "redact", Table: "logs.*", Compared: 500, Differed: 40, DeadLettered: 3}},
	}
}

// filled is a Set that was fed every figure there is, 60 s after it began.
func filled(t *testing.T) *Set {
	t.Helper()
	c := newClock()
	s := newSet(c.now)
	s.Producer(full)
	s.Modules(fullModules)
	s.Build("1.2.3")
	s.Reloaded(false)
	s.Reloaded(false)
	c.advance(60 * time.Second)
	s.Reloaded(true)
	h := NewHTTP([]string{"none", "records"})
	h.Observe(1, 200, 3*time.Millisecond, 500)
	h.Observe(1, 503, 3*time.Millisecond, 100)
	s.HTTP(h)
	s.Schemas(func() Schemas {
		return Schemas{
			Encodes: map[string]int64{"avro": 3001}, Mismatches: 3002, Refused: 3003, Unavailable: 3004, Answered: 3005, Denied: 3006, Failed: 3007,
			Latency: 3500 * time.Millisecond, Stale: 3008, Known: 3009, Subjects: 3010, Registrations: 3011, Missing: 3012, Hits: 3013, Misses: 3014, CacheBytes: 3015,
		}
	})
	s.Idempotency(func() Idempotency {
		return Idempotency{
			Executed: 1001, Replayed: 1002, Reused: 1003, InUse: 1004, Overloaded: 1005, Waited: 1006, Forgotten: 1007, Summarised: 1008,
			Evicted: 1009, InProgress: 1010, Answers: 1011, Bytes: 1012,
		}
	})
	s.Transactions(func() Transactions {
		return Transactions{
			Committed: 2001, Unknown: 2002, FencedOff: 2003, Refused: 2004, Rejected: 2005, Failed: 2006, NoClient: 2007, Draining: 2008,
			Run: 2009, Time: 2500 * time.Millisecond, Waiting: 2010, Busy: 2011, Free: 2012, Opening: 2013, Fenced: true,
		}
	})
	for name, v := range map[string]float64{
		"sluice_http_open_connections": 17, "sluice_http_receive_memory_bytes": 4096,
		"sluice_module_linear_memory_bytes": 65536, "sluice_module_linear_memory_limit_bytes": 1 << 29,
	} {
		if err := s.Gauge(name, func() float64 { return v }); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestScrape(t *testing.T) {
	want := map[string]float64{
		"kafka_producer_record_send_rate topic=logs.*":                             15,
		"kafka_producer_record_send_total topic=logs.*":                            900,
		"kafka_producer_record_error_rate topic=logs.*":                            1.5,
		"kafka_producer_record_error_total topic=logs.*":                           90,
		"sluice_records_accepted_total topic=logs.*":                               1000,
		"sluice_records_refused_total topic=logs.*":                                60,
		"sluice_buffer_records topic=logs.*":                                       71,
		"sluice_records_failed_total topic=logs.*":                                 30,
		"sluice_records_ended_total class=retriable code=buffer_full topic=logs.*": 61,
		"sluice_record_bytes_total topic=logs.*":                                   250_000,
		"kafka_producer_record_size_avg_bytes topic=logs.*":                        250,
		"kafka_producer_record_size_max_bytes topic=logs.*":                        777,
		"kafka_producer_record_queue_time_avg_seconds topic=logs.*":                0.05,
		"kafka_producer_record_queue_time_max_seconds topic=logs.*":                1.5,
		"sluice_record_queue_time_seconds_total topic=logs.*":                      20,
		"sluice_record_groups_total topic=logs.*":                                  400,
		"kafka_producer_buffer_total_bytes topic=logs.*":                           64000,
		"kafka_producer_buffer_available_bytes topic=logs.*":                       6400,
		"sluice_buffer_over_80_percent topic=logs.*":                               1,
		"kafka_producer_buffer_exhausted_rate topic=logs.*":                        0.1,
		"kafka_producer_buffer_exhausted_total topic=logs.*":                       6,
		"kafka_producer_bufferpool_wait_time_seconds_total topic=logs.*":           3,
		"kafka_producer_bufferpool_wait_ratio topic=logs.*":                        0.05,
		"kafka_producer_waiting_threads topic=logs.*":                              7,
		"sluice_on_ack_dropped_total topic=logs.*":                                 13,
		"sluice_dead_letters_total topic=logs.*":                                   21,
		"sluice_dead_letters_failed_total topic=logs.*":                            22,
		"sluice_dead_letters_memory_bytes topic=logs.*":                            2300,
		"sluice_spool_records_total topic=logs.*":                                  31,
		"sluice_spool_refused_total topic=logs.*":                                  32,
		"sluice_spool_stored_total topic=logs.*":                                   33,
		"sluice_spool_sent_again_total topic=logs.*":                               34,
		"sluice_spool_sent_again_unknown_total topic=logs.*":                       35,
		"sluice_spool_lost_total topic=logs.*":                                     36,
		"sluice_spool_fsyncs_total topic=logs.*":                                   4,
		"sluice_spool_fsync_seconds_total topic=logs.*":                            0.5,
		"sluice_spool_fsync_max_seconds topic=logs.*":                              0.25,
		"sluice_spool_waiting_records topic=logs.*":                                38,
		"sluice_spool_disk_bytes topic=logs.*":                                     39,
		"sluice_spool_oldest_age_seconds topic=logs.*":                             40,
		"kafka_producer_record_retry_rate client_id=sluice":                        0.2,
		"kafka_producer_record_retry_total client_id=sluice":                       12,
		"sluice_client_records_total client_id=sluice":                             930,
		"sluice_client_batches_total client_id=sluice":                             600,
		"kafka_producer_byte_rate client_id=sluice":                                40960,
		"kafka_producer_byte_total client_id=sluice":                               2_457_600,
		"kafka_producer_batch_size_avg_bytes client_id=sluice":                     4096,
		"kafka_producer_batch_size_max_bytes client_id=sluice":                     16000,
		"sluice_client_batch_fill_ratio client_id=sluice":                          0.25,
		"kafka_producer_records_per_request_avg client_id=sluice":                  3.1,
		"kafka_producer_compression_rate_avg client_id=sluice":                     0.25,
		"sluice_client_uncompressed_bytes_total client_id=sluice":                  8000,
		"sluice_client_compressed_bytes_total client_id=sluice":                    2000,
		"kafka_producer_request_rate client_id=sluice":                             5,
		"kafka_producer_request_total client_id=sluice":                            300,
		"kafka_producer_requests_in_flight client_id=sluice":                       5,
		"kafka_producer_request_latency_avg_seconds client_id=sluice":              0.02,
		"kafka_producer_request_latency_max_seconds client_id=sluice":              0.25,
		"sluice_client_request_latency_seconds_total client_id=sluice":             4,
		"sluice_client_responses_total client_id=sluice":                           200,
		"kafka_producer_produce_throttle_time_avg_seconds client_id=sluice":        0.0025,
		"kafka_producer_produce_throttle_time_max_seconds client_id=sluice":        0.1,
		"sluice_client_throttle_seconds_total client_id=sluice":                    0.5,
		"kafka_producer_connection_count client_id=sluice":                         3,
		"sluice_client_replacements_total client_id=sluice":                        2,
		"kafka_producer_metadata_age_seconds":                                      90,
		"sluice_records_open":                                                      70,
		"sluice_kafka_ready":                                                       1,
		"sluice_http_requests_total route=records status=200":                      1,
		"sluice_http_requests_total route=records status=503":                      1,
		"sluice_http_request_duration_seconds route=none":                          0,
		"sluice_http_request_duration_seconds route=records":                       2,
		"sluice_http_request_bytes_total route=none":                               0,
		"sluice_http_request_bytes_total route=records":                            600,
		"sluice_http_open_connections":                                             17,
		"sluice_http_receive_memory_bytes":                                         4096,
		"sluice_idempotency_requests_total result=executed":                        1001,
		"sluice_idempotency_requests_total result=replayed":                        1002,
		"sluice_idempotency_requests_total result=reused":                          1003,
		"sluice_idempotency_requests_total result=in_use":                          1004,
		"sluice_idempotency_requests_total result=overloaded":                      1005,
		"sluice_idempotency_waits_total":                                           1006,
		"sluice_idempotency_forgotten_total":                                       1007,
		"sluice_idempotency_summaries_total":                                       1008,
		"sluice_idempotency_evictions_total":                                       1009,
		"sluice_idempotency_entries state=in_progress":                             1010,
		"sluice_idempotency_entries state=answered":                                1011,
		"sluice_idempotency_bytes":                                                 1012,
		"sluice_schema_encodes_total serializer=avro":                              3001,
		"sluice_schema_failures_total reason=mismatch":                             3002,
		"sluice_schema_failures_total reason=refused":                              3003,
		"sluice_schema_failures_total reason=unavailable":                          3004,
		"sluice_schema_registry_requests_total result=answered":                    3005,
		"sluice_schema_registry_requests_total result=denied":                      3006,
		"sluice_schema_registry_requests_total result=failed":                      3007,
		"sluice_schema_registry_request_seconds_total":                             3.5,
		"sluice_schema_stale_total":                                                3008,
		"sluice_schema_cache_entries kind=schemas":                                 3009,
		"sluice_schema_cache_entries kind=subjects":                                3010,
		"sluice_schema_cache_entries kind=registrations":                           3011,
		"sluice_schema_cache_entries kind=missing":                                 3012,
		"sluice_schema_cache_bytes":                                                3015,
		"sluice_schema_cache_lookups_total result=hit":                             3013,
		"sluice_schema_cache_lookups_total result=miss":                            3014,
		"sluice_transactions_total result=committed":                               2001,
		"sluice_transactions_total result=unknown":                                 2002,
		"sluice_transactions_total result=fenced":                                  2003,
		"sluice_transactions_total result=refused":                                 2004,
		"sluice_transactions_total result=rejected":                                2005,
		"sluice_transactions_total result=failed":                                  2006,
		"sluice_transactions_total result=no_client":                               2007,
		"sluice_transactions_total result=draining":                                2008,
		"sluice_transactions_run_total":                                            2009,
		"sluice_transaction_time_seconds_total":                                    2.5,
		"sluice_transactions_waiting":                                              2010,
		"sluice_transaction_clients state=busy":                                    2011,
		"sluice_transaction_clients state=free":                                    2012,
		"sluice_transaction_clients state=opening":                                 2013,
		"sluice_transactions_fenced":                                               1,
		"sluice_module_linear_memory_bytes":                                        65536,
		"sluice_module_linear_memory_limit_bytes":                                  1 << 29,
		"sluice_module_shadow_compared_total module=redact topic=logs.*":           500,
		"sluice_module_shadow_differed_total module=redact topic=logs.*":           40,
		"sluice_module_dead_lettered_total module=redact topic=logs.*":             3,
		"sluice_config_reload_total result=done":                                   1,
		"sluice_config_reload_total result=failed":                                 2,
		"sluice_config_last_reload_timestamp_seconds":                              1_700_000_060,
		"sluice_build_info go_version=" + runtime.Version() + " version=1.2.3":     1,
	}
	maps.Copy(want, wantModules())
	if diff := cmp.Diff(want, values(t, filled(t))); diff != "" {
		t.Error(diff)
	}
}

// TestScrapeIsTable holds that a scrape shows the metrics of the table with their types, units and labels, and no others.
func TestScrapeIsTable(t *testing.T) {
	families := scrape(t, filled(t))
	for i := range descs {
		d := &descs[i]
		f := families[d.name]
		if f == nil {
			t.Errorf("%s does not appear", d.name)
			continue
		}
		delete(families, d.name)
		if got := strings.ToLower(f.GetType().String()); got != string(d.typ) {
			t.Errorf("%s is a %s, want %s", d.name, got, d.typ)
		}
		if help := f.GetHelp(); !strings.Contains(help, "Unit: "+d.unit+".") || !strings.Contains(help, d.kafka) {
			t.Errorf("%s: help %q", d.name, help)
		}
		want := slices.Sorted(slices.Values(d.labelNames()))
		for _, m := range f.GetMetric() {
			var got []string
			for _, l := range m.GetLabel() {
				got = append(got, l.GetName())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s has the labels %q, want %q", d.name, got, want)
			}
		}
	}
	for name := range families {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is not in the table", name)
		}
	}
	if families["go_goroutines"] == nil || families["process_start_time_seconds"] == nil {
		t.Error("the figures of Go or of the process are missing")
	}
}

func TestEmptySet(t *testing.T) {
	got := values(t, newSet(newClock().now))
	want := map[string]float64{
		"sluice_config_reload_total result=done": 0, "sluice_config_reload_total result=failed": 0,
		"sluice_config_last_reload_timestamp_seconds": 1_700_000_000,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGaugeRefusesOthers(t *testing.T) {
	for _, name := range []string{
		"", "sluice_nonsense", "sluice_http_request_bytes_total", "sluice_build_info", "sluice_records_open", "sluice_module_memory_bytes",
	} {
		if err := New().Gauge(name, func() float64 { return 1 }); err == nil {
			t.Errorf("%q was taken as a gauge", name)
		}
	}
}

func TestInvalidLabelFailsTheScrape(t *testing.T) {
	s := New()
	s.Producer(func() Snapshot { return Snapshot{Topics: []Topic{{Table: "\xff"}}} })
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "UTF-8") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestRunSamplesAndWarns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		var calls int
		snap := full()
		s.Producer(func() Snapshot {
			calls++
			if calls > 1 {
				snap.Topics[0].MaxRecord = 0
			}
			return snap
		})
		var log strings.Builder
		s.WatchBuffers(slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithTimeout(t.Context(), 42*time.Second)
		defer cancel()
		s.Run(ctx)
		if calls != 8 {
			t.Errorf("%d snapshots in 42 s, want one every 5 s", calls)
		}
		if got := strings.Count(log.String(), "nearly full"); got != 1 {
			t.Errorf("%d warnings, want 1:\n%s", got, log.String())
		}
		e := s.scopes[ofTopic].series["logs.*"]
		if got := largest(maxRecord, appended)(e, time.Now()); got != 777 {
			t.Errorf("after 42 s the maximum is %v, want that of the first window, 777", got)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	s := New()
	var calls int // the race detector finds it if snapshots are taken two at a time
	s.Producer(func() Snapshot { calls++; return full() })
	h := NewHTTP([]string{"none", "records"})
	s.HTTP(h)
	s.WatchBuffers(slog.New(slog.DiscardHandler))
	const workers, rounds = 4, 50
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				h.Observe(1, 200, time.Millisecond, 10)
				s.Reloaded(true)
				s.tick()
				if _, err := s.registry.Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := values(t, s)
	for name, want := range map[string]float64{
		"sluice_http_requests_total route=records status=200": workers * rounds,
		"sluice_config_reload_total result=done":              workers * rounds,
		"kafka_producer_record_send_total topic=logs.*":       900,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if calls != 2*workers*rounds+1 {
		t.Errorf("%d snapshots, want %d", calls, 2*workers*rounds+1)
	}
}

func near(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*max(1, math.Abs(b))
}
