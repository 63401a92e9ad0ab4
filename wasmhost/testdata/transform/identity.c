// A transform that writes what it reads.
#include "redpanda.h"

static uint8_t buf[1 << 20];

__attribute__((export_name("_start"))) void start(void)
{
    int64_t n64;
    int32_t count, n32;
    int16_t n16;
    uint8_t n8;
    check_abi_version_1();
    while (read_batch_header(&n64, &count, &n32, &n16, &n32, &n64, &n64, &n64, &n16, &n32) >= 0)
        for (int32_t i = 0; i < count; i++) {
            int32_t n = read_next_record(&n8, &n64, &n64, buf, sizeof buf);
            if (n < 0 || write_record(buf, n) != n) __builtin_trap();
        }
}
