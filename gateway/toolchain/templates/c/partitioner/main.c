// MODULE_NAME is a partitioner: records with the header "priority: high" have partitions of their own, the first ones of
// the topic. All others share the rest, by key as Kafka does it.
#include "sluice.h"

static int32_t reserved; // partitions for what is urgent

static void configure(sluice_config *c) {
    sluice_config_only(c, "reserved");
    int64_t n = sluice_config_int(c, "/reserved", 1);
    if (n < 1 || n > 1000) sluice_config_wrong(c, "/reserved", "must be between 1 and 1000");
    reserved = (int32_t)n;
}

static int32_t partition(sluice_record *r) {
    sluice_bytes key = sluice_key(r), priority;
    int32_t partitions = sluice_partitions(r);
    if (!key.ptr || partitions <= reserved) return SLUICE_NOT_MINE;
    if (sluice_header(r, "priority", &priority) && sluice_equal(priority, "high")) return sluice_key_partition(key, reserved);
    return reserved + sluice_key_partition(key, partitions - reserved);
}

SLUICE_CONFIGURE(configure)
SLUICE_PARTITION(partition)
