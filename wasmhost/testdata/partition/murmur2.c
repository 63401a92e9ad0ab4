// Spreads records over partitions as Kafka does: by the hash of the key.
#include "../../../guest-sdk/c/sluice.h"

static int32_t partition(sluice_record *r) { return sluice_key_partition(sluice_key(r), sluice_partitions(r)); }

SLUICE_PARTITION(partition)
