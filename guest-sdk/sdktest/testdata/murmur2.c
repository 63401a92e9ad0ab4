#include "../../c/sluice.h"

static int32_t partition(sluice_record *r) { return sluice_key_partition(sluice_key(r), sluice_partitions(r)); }

SLUICE_PARTITION(partition)
