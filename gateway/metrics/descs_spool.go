package metrics

// spoolDescs are the metrics of spools.
var spoolDescs = []desc{ //nolint:gochecknoglobals // a table that is only read
	{
		name: "sluice_spool_records_total", scope: ofTopic, typ: counter, unit: "records", value: sum(spooled),
		help: "Records that were accepted into the topic's spool (ack=queued).",
	},
	{
		name: "sluice_spool_refused_total", scope: ofTopic, typ: counter, unit: "records", value: sum(spoolRefused),
		help: "Records that the spool did not take: spool.max.bytes or the disk is full, or it cannot be written.",
	},
	{
		name: "sluice_spool_stored_total", scope: ofTopic, typ: counter, unit: "records", value: sum(spoolStored),
		help: "Records out of the spool that Kafka stored.",
	},
	{
		name: "sluice_spool_sent_again_total", scope: ofTopic, typ: counter, unit: "records", value: sum(spoolAgain),
		help: "Records out of the spool that failed and were sent again, each time counted.",
	},
	{
		name: "sluice_spool_sent_again_unknown_total", scope: ofTopic, typ: counter, unit: "records", value: sum(spoolTwice),
		help: "Of those, records of which it was not known whether Kafka had stored them: they may be there twice.",
	},
	{
		name: "sluice_spool_lost_total", scope: ofTopic, typ: counter, unit: "records", value: sum(spoolLost),
		help: "Records out of the spool that are stored nowhere: refused for their own sake without a dead letter, or damaged on disk.",
	},
	{
		name: "sluice_spool_waiting_records", scope: ofTopic, typ: gauge, unit: "records", value: present(spoolWaiting),
		help: "Records in the spool that are not stored yet.",
	},
	{
		name: "sluice_spool_disk_bytes", scope: ofTopic, typ: gauge, unit: "bytes", value: present(spoolBytes),
		help: "What the spool takes on disk, of spool.max.bytes. It shrinks by spool.segment.bytes at a time.",
	},
	{
		name: "sluice_spool_oldest_age_seconds", scope: ofTopic, typ: gauge, unit: "seconds", value: seconds(present(spoolAge)),
		help: "How long the oldest record in the spool has been waiting; of several topics of one table, the longest.",
	},
	{
		name: "sluice_spool_fsyncs_total", scope: ofTopic, typ: counter, unit: "fsyncs", value: sum(spoolSyncs),
		help: "How often the spool was forced to the disk.",
	},
	{
		name: "sluice_spool_fsync_seconds_total", scope: ofTopic, typ: counter, unit: "seconds", value: seconds(sum(spoolSync)),
		help: "How long that took, summed over sluice_spool_fsyncs_total.",
	},
	{
		name: "sluice_spool_fsync_max_seconds", scope: ofTopic, typ: gauge, unit: "seconds", value: seconds(largest(maxSpoolSync, spoolSyncs)),
		help: "How long the longest took.",
	},
}
