// A transform that goes to the edges of the ABI. It does what the key of a record says, and reports it as the value of a
// record without key, unless the guest does not live that long.
#include "redpanda.h"

enum { CLOCK_REALTIME };
__attribute__((import_module("wasi_snapshot_preview1"), import_name("clock_time_get"))) int32_t clock_time_get(int32_t id, int64_t precision, int64_t *time);

static struct report {
    int64_t base_offset, base_timestamp, max_timestamp, producer, timestamp, offset, clock;
    int32_t largest, count, epoch, last_offset_delta, sequence, read, small, after, rc;
    int16_t attributes, producer_epoch;
    uint8_t record_attributes, padding[7];
} r;

static uint8_t buf[1 << 20], out[512];

static int is(const uint8_t *key, int32_t len, const char *word)
{
    int32_t i = 0;
    while (i < len && word[i] != 0 && key[i] == (uint8_t)word[i]) i++;
    return i == len && word[i] == 0;
}

static int32_t varint(const uint8_t *p, int32_t *at)
{
    uint32_t v = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t b = p[(*at)++];
        v |= (uint32_t)(b & 127) << shift;
        if (b < 128) return (int32_t)(v >> 1) ^ -(int32_t)(v & 1);
    }
}

// report writes r as a value: the key is null, the length takes two bytes, and there are no headers.
static void report(void)
{
    int32_t n = 0;
    out[n++] = 1;
    out[n++] = (uint8_t)(sizeof r * 2 & 127) | 128;
    out[n++] = (uint8_t)(sizeof r * 2 >> 7);
    for (unsigned i = 0; i < sizeof r; i++) out[n++] = ((uint8_t *)&r)[i];
    out[n++] = 0;
    if (write_record(out, n) != n) __builtin_trap();
}

// deed does what the record in buf says. It is 0 if the guest is to return.
static int deed(void)
{
    static const uint8_t smallest[] = {1, 1, 0};
    int32_t at = 0, n = varint(buf, &at);
    uint8_t *key = buf + at, *value;
    int32_t key_len = n, len;
    at += n > 0 ? n : 0;
    len = varint(buf, &at);
    value = buf + at;
    r.rc = 0;
    if (is(key, key_len, "write")) r.rc = write_record(value, len);
    if (is(key, key_len, "options")) r.rc = write_record_with_options(smallest, sizeof smallest, value, len);
    if (is(key, key_len, "fault")) write_record((uint8_t *)0xfffffff0, 100);
    if (is(key, key_len, "fault-read")) read_next_record((uint8_t *)0xfffffff0, &r.timestamp, &r.offset, (uint8_t *)0xfffffff0, 1);
    if (is(key, key_len, "spam")) for (;;) write_record(smallest, sizeof smallest);
    if (is(key, key_len, "large")) write_record(buf, sizeof buf);
    if (is(key, key_len, "busy")) for (;;) write_record(buf + (1 << 18), 1 << 18);
    return !is(key, key_len, "return");
}

__attribute__((export_name("_start"))) void start(void)
{
    check_abi_version_1();
    r.read = read_next_record(&r.record_attributes, &r.timestamp, &r.offset, buf, sizeof buf); // there is no batch yet
    if (r.read != -1 || write_record(buf, 0) != -1) __builtin_trap();
    // 2 * count of headers for "busy": a payload that is valid until its last byte.
    buf[1 << 18] = buf[(1 << 18) + 1] = 1;
    buf[(1 << 18) + 2] = 0xfa, buf[(1 << 18) + 3] = 0xff, buf[(1 << 18) + 4] = 0x0f;
    for (;;) {
        r.largest = read_batch_header(&r.base_offset, &r.count, &r.epoch, &r.attributes, &r.last_offset_delta, &r.base_timestamp,
            &r.max_timestamp, &r.producer, &r.producer_epoch, &r.sequence);
        for (int32_t i = 0; i < r.count; i++) {
            r.small = read_next_record(&r.record_attributes, &r.timestamp, &r.offset, buf, 1);
            r.read = read_next_record(&r.record_attributes, &r.timestamp, &r.offset, buf, 1 << 17);
            if (r.read < 0) __builtin_trap();
            clock_time_get(CLOCK_REALTIME, 1, &r.clock);
            if (i == r.count - 1) {
                int64_t unused;
                r.after = read_next_record(&r.record_attributes, &unused, &unused, out, sizeof out);
            }
            if (is(buf + 1, 5, "early")) break;
            if (!deed()) return;
            report();
        }
    }
}
