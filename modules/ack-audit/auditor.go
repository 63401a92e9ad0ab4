package main

import (
	"strconv"

	sluice "sluice/guest-sdk/go"
)

// auditor counts acknowledgements. What it counts in its own fields is for the log: it is of one instance. The counters
// are of all instances together.
type auditor struct {
	buckets  []bucket
	slow     string // the counter for what is above all buckets
	logEvery int64

	stored, failed   int64 // since the last line
	sum, timed, most int64 // latencies, ms
	last             string
}

// bucket counts latencies above the bucket before and up to ms.
type bucket struct {
	ms      int64
	counter string
}

// onSend notes when the record came by.
func (a *auditor) onSend(r *sluice.Record) error {
	r.SetCookie(uint64(sluice.NowMS()))
	return nil
}

func (a *auditor) onAck(k *sluice.Ack) {
	if k.Error() == 0 {
		a.stored++
		sluice.CounterAdd("stored", 1)
	} else {
		a.failure(k)
	}
	a.latency(k)
	if a.logEvery > 0 && a.stored+a.failed >= a.logEvery {
		a.log()
	}
}

func (a *auditor) failure(k *sluice.Ack) {
	a.failed++
	a.last = k.Topic() + "-" + strconv.Itoa(int(k.Partition())) + ": error " + strconv.Itoa(int(k.Error())) + ": " + k.Message()
	sluice.CounterAdd("failed", 1)
	if k.Error() > 0 {
		sluice.CounterAdd("failed_code_"+strconv.Itoa(int(k.Error())), 1)
		return
	}
	sluice.CounterAdd("failed_no_code", 1)
}

// latency counts the time since onSend. A record that onSend did not see has no cookie.
func (a *auditor) latency(k *sluice.Ack) {
	if k.Cookie() == 0 {
		sluice.CounterAdd("latency_unknown", 1)
		return
	}
	ms := max(0, sluice.NowMS()-int64(k.Cookie()))
	a.sum, a.timed, a.most = a.sum+ms, a.timed+1, max(a.most, ms)
	sluice.CounterAdd(a.counter(ms), 1)
}

func (a *auditor) counter(ms int64) string {
	for i := range a.buckets {
		if ms <= a.buckets[i].ms {
			return a.buckets[i].counter
		}
	}
	return a.slow
}

// log writes one line and begins anew.
func (a *auditor) log() {
	line := strconv.FormatInt(a.stored+a.failed, 10) + " records: " + strconv.FormatInt(a.stored, 10) + " stored, " +
		strconv.FormatInt(a.failed, 10) + " failed"
	if a.timed > 0 {
		line += "; latency " + strconv.FormatInt(a.sum/a.timed, 10) + " ms on average, " + strconv.FormatInt(a.most, 10) + " ms at most"
	}
	if a.failed > 0 {
		sluice.Warn(line + "; the last failure: " + a.last)
	} else {
		sluice.Info(line)
	}
	a.stored, a.failed, a.sum, a.timed, a.most, a.last = 0, 0, 0, 0, 0, ""
}
