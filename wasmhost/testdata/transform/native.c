// The same as identity.c as a guest of sluice_v1 of both sorts: one that changes nothing, and, where a record has a
// header, one that sets the value that is there already.
#include "../../../guest-sdk/c/sluice.h"

static void on_send(sluice_record *r)
{
    if (sluice_header_count(r) > 0) sluice_set_value(r, sluice_value(r));
}

SLUICE_ON_SEND(on_send)
