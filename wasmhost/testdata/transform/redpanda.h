// What a transform in C without a libc needs of Redpanda's ABI.
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("redpanda_transform"), import_name(#name))) name

void IMPORT(check_abi_version_1)(void);
int32_t IMPORT(read_batch_header)(int64_t *base_offset, int32_t *count, int32_t *epoch, int16_t *attributes, int32_t *last_offset_delta,
    int64_t *base_timestamp, int64_t *max_timestamp, int64_t *producer, int16_t *producer_epoch, int32_t *sequence);
int32_t IMPORT(read_next_record)(uint8_t *attributes, int64_t *timestamp, int64_t *offset, uint8_t *buf, int32_t len);
int32_t IMPORT(write_record)(const uint8_t *buf, int32_t len);
int32_t IMPORT(write_record_with_options)(const uint8_t *buf, int32_t len, const uint8_t *options, int32_t options_len);
