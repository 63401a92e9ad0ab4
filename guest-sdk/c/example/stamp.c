// Says in header "gateway" which machine took a record in.
#include "../sluice.h"

static sluice_bytes host;

static void configure(sluice_config *c) { host = sluice_config_host(c); }

static void on_send(sluice_record *r) { sluice_set_header(r, "gateway", host); }

SLUICE_CONFIGURE(configure)
SLUICE_ON_SEND(on_send)
