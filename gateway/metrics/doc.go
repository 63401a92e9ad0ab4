// Package metrics is every metric of the gateway: its name, unit and meaning, and how its value comes about. METRICS.md is
// written from the table in descs.go. It knows no other package of ours: who has figures hands them in as plain numbers.
//
//	descs.go      descs        the table
//	desc.go       desc         one line of it, and what its help text says
//	snapshot.go   Snapshot     what the producer tells of its topics, clients and cluster
//	series.go     series       the figures of one label value: totals, and the last two windows of 30 s
//	sampler.go    sampler      turns snapshots into series
//	value.go      value        how a number of a metric is taken out of a series
//	modules.go    Modules      what the WASM host tells of the modules, and collect_modules.go shows as it is
//	http.go       HTTP         counts of the data plane, without locks or allocation
//	watch.go      BufferWatch  warns in the log when a topic's buffer is nearly full
//	set.go        Set          all of it, with the handler of /metrics
//
// # Names and units
//
// A metric that Kafka's Java producer has too bears Kafka's name with underscores behind kafka_producer_; what Kafka does not
// have begins with sluice_. Times are seconds and sizes are bytes, as Prometheus wants it, whatever unit Kafka takes, and the
// name ends with the unit, before _total, unless it says so already: Kafka's request-latency-avg in milliseconds is
// kafka_producer_request_latency_avg_seconds, bufferpool-wait-time-ns-total is
// kafka_producer_bufferpool_wait_time_seconds_total, byte-rate stays kafka_producer_byte_rate. Counts, rates per second and
// ratios keep Kafka's name. Every help text gives the unit and Kafka's original.
//
// # Labels
//
// topic is the pattern of the [topics.*] table, never a name that a client sent; topics of one table are summed. client_id
// is the client.id property; clients that share one are summed. So the number of series is bounded by the configuration.
//
// version is the short id of a module's version. Versions come and go without end, so one is shown while it serves and for an
// hour after it last did, or counted anything. name is that of a counter that a module made itself: wasm.counters.max
// bounds how many, and unlike all other counters they fall when a module adds a negative number.
//
// # Averages, rates and maxima
//
// Kafka's -rate, -avg and -max are gauges over a sliding window, as in Java's SampledStat: two samples of 30 s, of which the
// younger is being filled, so that they speak of the last 30 to 60 s. Windows turn by the clock and not by the scrape, so any
// number of scrapers sees the same. An average or maximum of nothing is NaN, as in Java. The counters next to them never
// fall while their label is there, also when a reload replaces or removes topics, so rate() of Prometheus may be used for
// any other interval.
//
// # Goroutines
//
// Set.Run samples every 5 s until its context ends. Without it the gauges are sampled by the scrapes alone.
package metrics

//go:generate go test -run TestReference -update .
