// Sends a record to the partition of its region: the key "eu:4711" of region "eu" with config {"regions": {"eu": 3}} goes
// to partition 3. A record of no region that the config names is left to the default partitioner.
#include "../sluice.h"

static sluice_json regions;

static void configure(sluice_config *c) {
    sluice_config_only(c, "regions");
    regions = sluice_config_at(c, "/regions");
    if (regions.kind != SLUICE_JSON_OBJECT) sluice_refuse(c, "config /regions must be an object of region to partition");
}

static int32_t partition(sluice_record *r) {
    sluice_bytes region = sluice_until(sluice_key(r), ':', NULL);
    return (int32_t)sluice_json_int(sluice_json_member(regions, region), SLUICE_NOT_MINE);
}

SLUICE_CONFIGURE(configure)
SLUICE_PARTITION(partition)
