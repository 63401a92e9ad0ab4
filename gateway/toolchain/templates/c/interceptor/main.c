// MODULE_NAME is an interceptor: it says in the header "source" where a record comes from, and refuses what has no value.
#include "sluice.h"

static sluice_bytes source;

static void configure(sluice_config *c) {
    sluice_config_only(c, "source");
    source = sluice_config_string(c, "/source", "unknown");
}

static void on_send(sluice_record *r) {
    if (!sluice_value(r).ptr) {
        sluice_fail(r, "a record must have a value");
        return;
    }
    sluice_set_header(r, "source", source);
    sluice_counter_add("stamped", 1);
}

SLUICE_CONFIGURE(configure)
SLUICE_ON_SEND(on_send)
