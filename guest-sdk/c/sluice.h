// sluice.h: everything a module for Sluice written in C (C99 or C++, clang, wasm32, no libc) needs. See README.md.
//
// A text argument may be a C string or sluice_bytes. What a getter returns is a view, valid during the call only. What
// is set is not copied: it must stay until the host calls again, so let it be a literal, a part of the record or in
// sluice_room.
#ifndef SLUICE_H
#define SLUICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__wasm32__) || !defined(__clang__)
#error "sluice.h needs clang --target=wasm32"
#endif

#ifdef __cplusplus
#define SLUICE__C extern "C"
#define SLUICE__OVERLOAD
#else
#define SLUICE__C
#define SLUICE__OVERLOAD __attribute__((overloadable))
#endif
#define SLUICE__WEAK __attribute__((weak)) // more than one source file of a module may include this header
#define SLUICE__IMPORT(name) SLUICE__C __attribute__((import_module("sluice_v1"), import_name(name)))
#define SLUICE__EXPORT(name) SLUICE__C __attribute__((export_name(name)))
#define SLUICE__ALIAS __attribute__((may_alias, aligned(1)))

// ---- The layout of sluice_v1: guest-sdk/abi/layout.go is its home, and a test compares the two.
enum {
    SLUICE_HEADER_SIZE = 32,
    SLUICE_HDR_MAGIC = 0,
    SLUICE_HDR_SIZE = 4,
    SLUICE_HDR_COUNT = 8,
    SLUICE_HDR_RECORDS = 12,
    SLUICE_HDR_TOPICS = 16,
    SLUICE_HDR_N_TOPICS = 20,
    SLUICE_HDR_FLAGS = 24,
    SLUICE_HDR_PROGRESS = 28,
    SLUICE_BATCH_MAGIC = 0x31424c53,
    SLUICE_ACKS_MAGIC = 0x31414c53,
    SLUICE_DRY_RUN = 1,

    SLUICE_TOPIC_SIZE = 16,
    SLUICE_TOPIC_NAME = 0,
    SLUICE_TOPIC_NAME_LEN = 4,
    SLUICE_TOPIC_PARTITIONS = 8,

    SLUICE_RECORD_SIZE = 64,
    SLUICE_REC_KEY = 0,
    SLUICE_REC_KEY_LEN = 4,
    SLUICE_REC_VALUE = 8,
    SLUICE_REC_VALUE_LEN = 12,
    SLUICE_REC_HEADERS = 16,
    SLUICE_REC_HEADER_COUNT = 20,
    SLUICE_REC_TIMESTAMP = 24,
    SLUICE_REC_TOPIC = 32,
    SLUICE_REC_PARTITION = 36,
    SLUICE_REC_FLAGS = 40,
    SLUICE_REC_ROUTE_LEN = 44,
    SLUICE_REC_ROUTE = 48,
    SLUICE_REC_COOKIE = 56,

    SLUICE_FLAG_KEY = 1,
    SLUICE_FLAG_VALUE = 2,
    SLUICE_FLAG_HEADERS = 4,
    SLUICE_FLAG_TIMESTAMP = 8,
    SLUICE_FLAG_ROUTE = 16,
    SLUICE_FLAG_DROP = 32,
    SLUICE_ALL_FLAGS = 63,

    SLUICE_KEY_VALUE_SIZE = 16,
    SLUICE_KV_KEY = 0,
    SLUICE_KV_KEY_LEN = 4,
    SLUICE_KV_VALUE = 8,
    SLUICE_KV_VALUE_LEN = 12,

    SLUICE_ACK_SIZE = 64,
    SLUICE_ACK_COOKIE = 0,
    SLUICE_ACK_TOPIC = 8,
    SLUICE_ACK_TOPIC_LEN = 12,
    SLUICE_ACK_PARTITION = 16,
    SLUICE_ACK_ERROR = 20,
    SLUICE_ACK_OFFSET = 24,
    SLUICE_ACK_TIMESTAMP = 32,
    SLUICE_ACK_MESSAGE = 40,
    SLUICE_ACK_MESSAGE_LEN = 44,
    SLUICE_ACK_KEY_SIZE = 48,
    SLUICE_ACK_VALUE_SIZE = 52,

    SLUICE_NULL = -1,
    SLUICE_MAX_REASON = 512,
    SLUICE_MAX_LINE = 1024
};

enum { SLUICE_TRACE = 0, SLUICE_DEBUG = 1, SLUICE_INFO = 2, SLUICE_WARN = 3, SLUICE_ERROR = 4 }; // levels of a log line

enum { SLUICE_NOT_MINE = -1 }; // what a partitioner returns to leave a record to the default partitioner

SLUICE__IMPORT("log") void sluice__host_log(int32_t level, const void *ptr, uint32_t len);
SLUICE__IMPORT("record_error") void sluice__host_record_error(uint32_t index, const void *ptr, uint32_t len);
SLUICE__IMPORT("counter_add") void sluice__host_counter_add(const void *ptr, uint32_t len, int64_t delta);
SLUICE__IMPORT("now_ms") int64_t sluice__host_now_ms(void);

// ---- What the compiler takes for granted. Plain loops: clang must not turn them into calls of themselves.
#define SLUICE__MEM SLUICE__C SLUICE__WEAK __attribute__((no_builtin))
typedef uint64_t SLUICE__ALIAS sluice__u64;
typedef uint32_t SLUICE__ALIAS sluice__u32;

SLUICE__MEM void *memcpy(void *to, const void *from, size_t n) {
    uint8_t *d = (uint8_t *)to;
    const uint8_t *s = (const uint8_t *)from;
    for (; n >= 8; n -= 8, d += 8, s += 8) *(sluice__u64 *)d = *(const sluice__u64 *)s;
    while (n--) *d++ = *s++;
    return to;
}

SLUICE__MEM void *memmove(void *to, const void *from, size_t n) {
    uint8_t *d = (uint8_t *)to;
    const uint8_t *s = (const uint8_t *)from;
    if (d <= s) {
        while (n--) *d++ = *s++;
    } else {
        while (n--) d[n] = s[n];
    }
    return to;
}

SLUICE__MEM void *memset(void *to, int c, size_t n) {
    uint8_t *d = (uint8_t *)to;
    uint64_t w = (uint8_t)c * 0x0101010101010101ull;
    for (; n >= 8; n -= 8, d += 8) *(sluice__u64 *)d = w;
    while (n--) *d++ = (uint8_t)c;
    return to;
}

SLUICE__MEM int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *p = (const uint8_t *)a, *q = (const uint8_t *)b;
    for (; n >= 8 && *(const sluice__u64 *)p == *(const sluice__u64 *)q; n -= 8) p += 8, q += 8;
    for (; n--; p++, q++)
        if (*p != *q) return *p < *q ? -1 : 1;
    return 0;
}

SLUICE__MEM size_t strlen(const char *s) {
    const char *p = s;
    while (*p) p++;
    return (size_t)(p - s);
}

// ---- Bytes.
typedef struct {
    const uint8_t *ptr; // NULL = null
    uint32_t len;
} sluice_bytes;

static inline sluice_bytes sluice_view(const void *ptr, uint32_t len) {
    sluice_bytes b;
    b.ptr = (const uint8_t *)ptr;
    b.len = len;
    return b;
}

// sluice_text is the bytes of a C string, without its 0. Every text argument goes through it.
static inline SLUICE__OVERLOAD sluice_bytes sluice_text(const char *s) { return sluice_view(s, (uint32_t)__builtin_strlen(s)); }
static inline SLUICE__OVERLOAD sluice_bytes sluice_text(sluice_bytes b) { return b; }

static inline bool sluice__equal(sluice_bytes a, sluice_bytes b) { return a.len == b.len && __builtin_memcmp(a.ptr, b.ptr, a.len) == 0; }
#define sluice_equal(a, b) sluice__equal(sluice_text(a), sluice_text(b))

// sluice_until is what stands before the first byte c; found, which may be NULL, says whether there is one.
static inline sluice_bytes sluice_until(sluice_bytes b, char c, bool *found) {
    uint32_t i = 0;
    while (i < b.len && b.ptr[i] != (uint8_t)c) i++;
    if (found) *found = i < b.len;
    return sluice_view(b.ptr, i);
}

// ---- Memory. The host's input has one block that grows; what a call builds goes into chunks that the next call uses
// again; the rest is never given back.
extern uint8_t __heap_base;

typedef struct sluice__chunk {
    struct sluice__chunk *next;
    uint32_t size; // bytes behind this header
} sluice__chunk;

typedef struct {
    uint8_t *end, *input;
    uint32_t input_size;
    sluice__chunk *chunks, *chunk; // all of them; the one in use
    uint32_t used;                 // bytes of it
    uint8_t *batch;                // header of the batch at hand
    void *headers_of;              // the record whose list of headers is ours
    uint32_t headers_room;         // and how many that has room for
} sluice__state;

SLUICE__WEAK sluice__state sluice__s = {0, 0, 0, 0, 0, 0, 0, 0, 0};

// sluice_keep returns n bytes, 8-aligned, that stay for good, or NULL: for what configure prepares.
static void *sluice_keep(uint32_t n) {
    sluice__state *s = &sluice__s;
    if (!s->end) s->end = (uint8_t *)(((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15);
    uint64_t end = (uint64_t)(uintptr_t)s->end + (((uint64_t)n + 7) & ~7ull), have = (uint64_t)__builtin_wasm_memory_size(0) << 16;
    if (end > have) {
        uint64_t pages = (end - have + 0xffff) >> 16;
        if (end > 0xffffffffull || __builtin_wasm_memory_grow(0, (size_t)pages) == (size_t)-1) return NULL;
    }
    uint8_t *p = s->end;
    s->end = (uint8_t *)(uintptr_t)end;
    return p;
}

static __attribute__((noinline)) void *sluice__more_room(uint32_t n) {
    sluice__state *s = &sluice__s;
    sluice__chunk *c = s->chunk;
    while (c && c->next) {
        c = c->next;
        if (c->size >= n) {
            s->chunk = c;
            s->used = n;
            return c + 1;
        }
    }
    uint32_t size = !c ? 8192 : c->size < (1 << 19) ? 2 * c->size : 1 << 20;
    sluice__chunk *fresh = size > n ? (sluice__chunk *)sluice_keep(size + 8) : NULL;
    if (!fresh) fresh = (sluice__chunk *)sluice_keep((size = n) + 8);
    if (!fresh) return NULL;
    fresh->next = NULL;
    fresh->size = size;
    if (c) c->next = fresh;
    else s->chunks = fresh;
    s->chunk = fresh;
    s->used = n;
    return fresh + 1;
}

// sluice_room returns n bytes, 8-aligned, that stay until the host calls again, or NULL.
static inline void *sluice_room(uint32_t n) {
    sluice__state *s = &sluice__s;
    if (n > 0xffff0000u) return NULL;
    n = (n + 7) & ~7u;
    if (s->chunk && s->chunk->size - s->used >= n) {
        uint8_t *p = (uint8_t *)(s->chunk + 1) + s->used;
        s->used += n;
        return p;
    }
    return sluice__more_room(n);
}

// sluice__must is sluice_room that traps where there is none: the host then finds the record.
static inline void *sluice__must(uint32_t n) {
    void *p = sluice_room(n);
    if (!p) __builtin_trap();
    return p;
}

SLUICE__EXPORT("sluice_abi_v1") SLUICE__WEAK void sluice__abi_v1(void) {}

SLUICE__EXPORT("sluice_alloc") SLUICE__WEAK void *sluice__alloc(uint32_t n) {
    sluice__state *s = &sluice__s;
    if (n <= s->input_size && s->input) return s->input;
    if (n > 0xffff0000u) return NULL;
    uint32_t size = n < 32768 ? 65536 : n < (1u << 28) ? 2 * n : n;
    uint8_t *p = (uint8_t *)sluice_keep(size);
    if (!p) p = (uint8_t *)sluice_keep(size = n);
    if (!p) return NULL;
    if (s->input) { // the old block becomes room for output
        sluice__chunk *c = (sluice__chunk *)s->input;
        c->size = s->input_size - (uint32_t)sizeof *c;
        c->next = s->chunks;
        s->chunks = c;
    }
    s->input = p;
    s->input_size = (size + 7) & ~7u;
    return p;
}

// sluice_decimal is n in decimal, in sluice_room.
static inline sluice_bytes sluice_decimal(int64_t n) {
    uint8_t *end = (uint8_t *)sluice__must(24) + 24, *p = end;
    uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do *--p = (uint8_t)('0' + u % 10);
    while (u /= 10);
    if (n < 0) *--p = '-';
    return sluice_view(p, (uint32_t)(end - p));
}

// sluice_concat is a and then b, in sluice_room.
static inline sluice_bytes sluice__concat(sluice_bytes a, sluice_bytes b) {
    uint8_t *p = (uint8_t *)sluice__must(a.len + b.len);
    __builtin_memcpy(p, a.ptr, a.len);
    __builtin_memcpy(p + a.len, b.ptr, b.len);
    return sluice_view(p, a.len + b.len);
}
#define sluice_concat(a, b) sluice__concat(sluice_text(a), sluice_text(b))

// ---- The host.

// sluice_log writes a line to the module's log; level is SLUICE_TRACE to SLUICE_ERROR.
static inline void sluice__log(int32_t level, sluice_bytes b) { sluice__host_log(level, b.ptr, b.len); }
#define sluice_log(level, text) sluice__log(level, sluice_text(text))

// sluice_counter_add adds to a metric of the module; its name matches [a-z0-9_]{1,48}.
static inline void sluice__counter_add(sluice_bytes b, int64_t delta) { sluice__host_counter_add(b.ptr, b.len, delta); }
#define sluice_counter_add(name, delta) sluice__counter_add(sluice_text(name), delta)

// sluice_now_ms is Unix milliseconds, the same throughout one call.
static inline int64_t sluice_now_ms(void) { return sluice__host_now_ms(); }

// ---- Records.
typedef struct sluice_record sluice_record; // its descriptor in linear memory
typedef struct {
    sluice_bytes name, value;
} sluice_header_view;

typedef int64_t SLUICE__ALIAS sluice__i64;

static inline uint32_t sluice__get(const void *p, uint32_t at) { return *(const sluice__u32 *)((const uint8_t *)p + at); }
static inline int64_t sluice__get64(const void *p, uint32_t at) { return *(const sluice__i64 *)((const uint8_t *)p + at); }
static inline void sluice__set(void *p, uint32_t at, uint32_t v) { *(sluice__u32 *)((uint8_t *)p + at) = v; }
static inline void sluice__set64(void *p, uint32_t at, int64_t v) { *(sluice__i64 *)((uint8_t *)p + at) = v; }
static inline void sluice__flag(sluice_record *r, uint32_t f) { sluice__set(r, SLUICE_REC_FLAGS, sluice__get(r, SLUICE_REC_FLAGS) | f); }

static inline sluice_bytes sluice__bytes(const void *p, uint32_t at) { // an address and a length; null if that is -1
    uint32_t n = sluice__get(p, at + 4);
    return n == (uint32_t)SLUICE_NULL ? sluice_view(NULL, 0) : sluice_view((const void *)(uintptr_t)sluice__get(p, at), n);
}

static inline void sluice__set_bytes(void *p, uint32_t at, sluice_bytes b) {
    sluice__set(p, at, (uint32_t)(uintptr_t)b.ptr);
    sluice__set(p, at + 4, b.ptr ? b.len : (uint32_t)SLUICE_NULL);
}

static inline sluice_bytes sluice_key(const sluice_record *r) { return sluice__bytes(r, SLUICE_REC_KEY); }
static inline sluice_bytes sluice_value(const sluice_record *r) { return sluice__bytes(r, SLUICE_REC_VALUE); }
static inline int64_t sluice_timestamp(const sluice_record *r) { return sluice__get64(r, SLUICE_REC_TIMESTAMP); }
static inline uint64_t sluice_cookie(const sluice_record *r) { return (uint64_t)sluice__get64(r, SLUICE_REC_COOKIE); }

static inline const uint8_t *sluice__topic(const sluice_record *r) {
    uint32_t topics = sluice__get(sluice__s.batch, SLUICE_HDR_TOPICS);
    return (const uint8_t *)(uintptr_t)(topics + sluice__get(r, SLUICE_REC_TOPIC) * SLUICE_TOPIC_SIZE);
}

// sluice_topic is the name of the topic that the record came in for.
static inline sluice_bytes sluice_topic(const sluice_record *r) { return sluice__bytes(sluice__topic(r), SLUICE_TOPIC_NAME); }

// sluice_partitions is how many partitions that topic has, 0 when that is not known (in on_send).
static inline int32_t sluice_partitions(const sluice_record *r) { return (int32_t)sluice__get(sluice__topic(r), SLUICE_TOPIC_PARTITIONS); }

// sluice_partition is the partition the record came with, -1 = none.
static inline int32_t sluice_partition(const sluice_record *r) { return (int32_t)sluice__get(r, SLUICE_REC_PARTITION); }

// sluice_index is where the record stands in the batch.
static inline uint32_t sluice_index(const sluice_record *r) {
    return ((uint32_t)(uintptr_t)r - sluice__get(sluice__s.batch, SLUICE_HDR_RECORDS)) / SLUICE_RECORD_SIZE;
}

// sluice_dry_run says whether nothing of what the module does is used.
static inline bool sluice_dry_run(void) { return sluice__get(sluice__s.batch, SLUICE_HDR_FLAGS) & SLUICE_DRY_RUN; }

static inline void sluice__set_key(sluice_record *r, sluice_bytes b) {
    sluice__set_bytes(r, SLUICE_REC_KEY, b);
    sluice__flag(r, SLUICE_FLAG_KEY);
}
static inline void sluice__set_value(sluice_record *r, sluice_bytes b) {
    sluice__set_bytes(r, SLUICE_REC_VALUE, b);
    sluice__flag(r, SLUICE_FLAG_VALUE);
}
#define sluice_set_key(r, text) sluice__set_key(r, sluice_text(text))
#define sluice_set_value(r, text) sluice__set_value(r, sluice_text(text))
static inline void sluice_set_null_key(sluice_record *r) { sluice__set_key(r, sluice_view(NULL, 0)); }
static inline void sluice_set_null_value(sluice_record *r) { sluice__set_value(r, sluice_view(NULL, 0)); }

static inline void sluice_set_timestamp(sluice_record *r, int64_t ms) {
    sluice__set64(r, SLUICE_REC_TIMESTAMP, ms);
    sluice__flag(r, SLUICE_FLAG_TIMESTAMP);
}

// sluice_set_cookie gives the record 64 bits that on_ack gets back, maybe in another instance.
static inline void sluice_set_cookie(sluice_record *r, uint64_t cookie) { sluice__set64(r, SLUICE_REC_COOKIE, (int64_t)cookie); }

// sluice_route sends the record to another topic, which the binding must allow.
static inline void sluice__route(sluice_record *r, sluice_bytes topic) {
    sluice__set(r, SLUICE_REC_ROUTE, (uint32_t)(uintptr_t)topic.ptr);
    sluice__set(r, SLUICE_REC_ROUTE_LEN, topic.len);
    sluice__flag(r, SLUICE_FLAG_ROUTE);
}
#define sluice_route(r, topic) sluice__route(r, sluice_text(topic))

static inline void sluice_drop(sluice_record *r) { sluice__flag(r, SLUICE_FLAG_DROP); }

// sluice_fail marks the record failed. What else was done to it is not used.
static inline void sluice__fail(sluice_record *r, sluice_bytes reason) { sluice__host_record_error(sluice_index(r), reason.ptr, reason.len); }
#define sluice_fail(r, reason) sluice__fail(r, sluice_text(reason))

// ---- Headers of a record.
static inline uint32_t sluice_header_count(const sluice_record *r) { return sluice__get(r, SLUICE_REC_HEADER_COUNT); }

static inline uint8_t *sluice__header(const sluice_record *r, uint32_t i) {
    return (uint8_t *)(uintptr_t)(sluice__get(r, SLUICE_REC_HEADERS) + i * SLUICE_KEY_VALUE_SIZE);
}

static inline sluice_header_view sluice_header_at(const sluice_record *r, uint32_t i) {
    sluice_header_view h;
    h.name = sluice__bytes(sluice__header(r, i), SLUICE_KV_KEY);
    h.value = sluice__bytes(sluice__header(r, i), SLUICE_KV_VALUE);
    return h;
}

// sluice_header gives the value of the last header of that name; false = there is none.
static inline bool sluice__find_header(const sluice_record *r, sluice_bytes name, sluice_bytes *value) {
    for (uint32_t i = sluice_header_count(r); i-- > 0;) {
        sluice_header_view h = sluice_header_at(r, i);
        if (!sluice__equal(h.name, name)) continue;
        if (value) *value = h.value;
        return true;
    }
    return false;
}
#define sluice_header(r, name, value) sluice__find_header(r, sluice_text(name), value)

// sluice__own_headers makes the list of headers ours, with room for more of them: the host's may be full.
static inline void sluice__own_headers(sluice_record *r, uint32_t more) {
    sluice__state *s = &sluice__s;
    uint32_t n = sluice_header_count(r);
    if (s->headers_of != r || n + more > s->headers_room) {
        uint32_t room = n + more + (n >> 1) + 3;
        void *list = sluice__must(room * SLUICE_KEY_VALUE_SIZE);
        __builtin_memcpy(list, sluice__header(r, 0), n * SLUICE_KEY_VALUE_SIZE);
        sluice__set(r, SLUICE_REC_HEADERS, (uint32_t)(uintptr_t)list);
        s->headers_of = r;
        s->headers_room = room;
    }
    sluice__flag(r, SLUICE_FLAG_HEADERS);
}

static inline void sluice__add_header(sluice_record *r, sluice_bytes name, sluice_bytes value) {
    uint32_t n = sluice_header_count(r);
    sluice__own_headers(r, 1);
    sluice__set_bytes(sluice__header(r, n), SLUICE_KV_KEY, name);
    sluice__set_bytes(sluice__header(r, n), SLUICE_KV_VALUE, value);
    sluice__set(r, SLUICE_REC_HEADER_COUNT, n + 1);
}

static inline void sluice__remove_header(sluice_record *r, sluice_bytes name) {
    if (!sluice__find_header(r, name, NULL)) return;
    sluice__own_headers(r, 0);
    uint32_t n = sluice_header_count(r), kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (sluice__equal(sluice_header_at(r, i).name, name)) continue;
        if (i != kept) __builtin_memcpy(sluice__header(r, kept), sluice__header(r, i), SLUICE_KEY_VALUE_SIZE);
        kept++;
    }
    sluice__set(r, SLUICE_REC_HEADER_COUNT, kept);
}

static inline void sluice__set_header(sluice_record *r, sluice_bytes name, sluice_bytes value) {
    sluice__remove_header(r, name);
    sluice__add_header(r, name, value);
}

// set: all of that name go, one is added at the end. add: duplicates stay. remove: all of that name go.
#define sluice_set_header(r, name, value) sluice__set_header(r, sluice_text(name), sluice_text(value))
#define sluice_add_header(r, name, value) sluice__add_header(r, sluice_text(name), sluice_text(value))
#define sluice_remove_header(r, name) sluice__remove_header(r, sluice_text(name))

// ---- Acknowledgements.
typedef struct sluice_ack sluice_ack;

static inline uint64_t sluice_ack_cookie(const sluice_ack *a) { return (uint64_t)sluice__get64(a, SLUICE_ACK_COOKIE); }
static inline sluice_bytes sluice_ack_topic(const sluice_ack *a) { return sluice__bytes(a, SLUICE_ACK_TOPIC); }
static inline int32_t sluice_ack_partition(const sluice_ack *a) { return (int32_t)sluice__get(a, SLUICE_ACK_PARTITION); } // -1 = never chosen
static inline int32_t sluice_ack_error(const sluice_ack *a) { return (int32_t)sluice__get(a, SLUICE_ACK_ERROR); } // Kafka's code, 0 = stored
static inline int64_t sluice_ack_offset(const sluice_ack *a) { return sluice__get64(a, SLUICE_ACK_OFFSET); } // -1 = not stored or not known
static inline int64_t sluice_ack_timestamp(const sluice_ack *a) { return sluice__get64(a, SLUICE_ACK_TIMESTAMP); } // -1 = not stored
static inline sluice_bytes sluice_ack_message(const sluice_ack *a) { return sluice__bytes(a, SLUICE_ACK_MESSAGE); }
static inline int32_t sluice_ack_key_size(const sluice_ack *a) { return (int32_t)sluice__get(a, SLUICE_ACK_KEY_SIZE); } // -1 = null
static inline int32_t sluice_ack_value_size(const sluice_ack *a) { return (int32_t)sluice__get(a, SLUICE_ACK_VALUE_SIZE); }

// ---- Kafka's hash.

// sluice_murmur2 is the hash Kafka's default partitioner takes of a key.
static inline int32_t sluice_murmur2(sluice_bytes b) {
    const uint32_t m = 0x5bd1e995;
    const uint8_t *p = b.ptr;
    uint32_t n = b.len, h = 0x9747b28cu ^ n;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t k = *(const sluice__u32 *)p * m;
        h = h * m ^ (k ^ k >> 24) * m;
    }
    if (n > 2) h ^= (uint32_t)p[2] << 16;
    if (n > 1) h ^= (uint32_t)p[1] << 8;
    if (n > 0) h = (h ^ p[0]) * m;
    h = (h ^ h >> 13) * m;
    return (int32_t)(h ^ h >> 15);
}

// sluice_key_partition is the partition Kafka's default partitioner gives a key; NOT_MINE if it is null or partitions <= 0.
static inline int32_t sluice_key_partition(sluice_bytes key, int32_t partitions) {
    if (!key.ptr || partitions <= 0) return SLUICE_NOT_MINE;
    return (int32_t)(((uint32_t)sluice_murmur2(key) & 0x7fffffff) % (uint32_t)partitions);
}

// ---- JSON, read where it stands. A document is checked as a whole by sluice_json_at; deeper than SLUICE_JSON_DEPTH is
// taken for no JSON. Of members of one name the last counts.
enum { SLUICE_JSON_DEPTH = 128 };

typedef enum {
    SLUICE_JSON_MISSING,
    SLUICE_JSON_NULL,
    SLUICE_JSON_BOOL,
    SLUICE_JSON_NUMBER,
    SLUICE_JSON_STRING,
    SLUICE_JSON_OBJECT,
    SLUICE_JSON_ARRAY
} sluice_json_kind;

typedef struct {
    const uint8_t *ptr; // the text of the value, a string's with its quotes
    uint32_t len;
    sluice_json_kind kind;
} sluice_json;

static inline const uint8_t *sluice__space(const uint8_t *p, const uint8_t *end) {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

static inline int sluice__hex(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline const uint8_t *sluice__skip_string(const uint8_t *p, const uint8_t *end) { // NULL = no string
    for (p++; p < end; p++) {
        if (*p == '"') return p + 1;
        if (*p < 32) return NULL;
        if (*p != '\\') continue;
        if (++p == end) return NULL;
        if (*p == 'u') {
            for (int i = 0; i < 4; i++)
                if (++p == end || sluice__hex(*p) < 0) return NULL;
        } else if (*p != '"' && *p != '\\' && *p != '/' && *p != 'b' && *p != 'f' && *p != 'n' && *p != 'r' && *p != 't') {
            return NULL;
        }
    }
    return NULL;
}

static inline const uint8_t *sluice__skip_digits(const uint8_t *p, const uint8_t *end) { // NULL = none
    const uint8_t *from = p;
    while (p < end && *p >= '0' && *p <= '9') p++;
    return p == from ? NULL : p;
}

static inline const uint8_t *sluice__skip_number(const uint8_t *p, const uint8_t *end) {
    if (*p == '-') p++;
    p = p < end && *p == '0' ? p + 1 : sluice__skip_digits(p, end);
    if (p && p < end && *p == '.') p = sluice__skip_digits(p + 1, end);
    if (p && p < end && (*p | 32) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        p = sluice__skip_digits(p, end);
    }
    return p;
}

static inline const uint8_t *sluice__skip_word(const uint8_t *p, const uint8_t *end, const char *word, uint32_t n) {
    return (uint32_t)(end - p) >= n && __builtin_memcmp(p, word, n) == 0 ? p + n : NULL;
}

static const uint8_t *sluice__skip(const uint8_t *p, const uint8_t *end, int depth, sluice_json_kind *kind);

static const uint8_t *sluice__skip_members(const uint8_t *p, const uint8_t *end, int depth) {
    uint8_t close = *p == '{' ? '}' : ']';
    sluice_json_kind kind;
    p = sluice__space(p + 1, end);
    if (p < end && *p == close) return p + 1;
    for (;;) {
        if (close == '}') {
            if (p == end || *p != '"' || !(p = sluice__skip_string(p, end))) return NULL;
            p = sluice__space(p, end);
            if (p == end || *p++ != ':') return NULL;
            p = sluice__space(p, end);
        }
        if (!(p = sluice__skip(p, end, depth - 1, &kind))) return NULL;
        p = sluice__space(p, end);
        if (p == end) return NULL;
        if (*p == close) return p + 1;
        if (*p++ != ',') return NULL;
        p = sluice__space(p, end);
    }
}

// sluice__skip returns the end of the value that begins at p, or NULL if there is none.
static const uint8_t *sluice__skip(const uint8_t *p, const uint8_t *end, int depth, sluice_json_kind *kind) {
    if (p == end || depth == 0) return NULL;
    switch (*p) {
    case '{': *kind = SLUICE_JSON_OBJECT; return sluice__skip_members(p, end, depth);
    case '[': *kind = SLUICE_JSON_ARRAY; return sluice__skip_members(p, end, depth);
    case '"': *kind = SLUICE_JSON_STRING; return sluice__skip_string(p, end);
    case 't': *kind = SLUICE_JSON_BOOL; return sluice__skip_word(p, end, "true", 4);
    case 'f': *kind = SLUICE_JSON_BOOL; return sluice__skip_word(p, end, "false", 5);
    case 'n': *kind = SLUICE_JSON_NULL; return sluice__skip_word(p, end, "null", 4);
    default: *kind = SLUICE_JSON_NUMBER; return sluice__skip_number(p, end);
    }
}

static inline sluice_json sluice__json(const uint8_t *p, const uint8_t *end) {
    sluice_json j = {NULL, 0, SLUICE_JSON_MISSING};
    sluice_json_kind kind;
    const uint8_t *after = sluice__skip(p, end, SLUICE_JSON_DEPTH, &kind);
    if (!after) return j;
    j.ptr = p;
    j.len = (uint32_t)(after - p);
    j.kind = kind;
    return j;
}

// sluice_json_next walks over the members of an object or array: *at is 0 at first; name, which may be NULL, is
// a string, or missing in an array. false = there are no more.
static inline bool sluice_json_next(sluice_json in, uint32_t *at, sluice_json *name, sluice_json *value) {
    if (in.kind != SLUICE_JSON_OBJECT && in.kind != SLUICE_JSON_ARRAY) return false;
    const uint8_t *end = in.ptr + in.len, *p = sluice__space(in.ptr + (*at ? *at : 1), end);
    if (p < end && *p == ',') p = sluice__space(p + 1, end);
    if (p == end || *p == '}' || *p == ']') return false;
    sluice_json n = {NULL, 0, SLUICE_JSON_MISSING};
    if (in.kind == SLUICE_JSON_OBJECT) {
        n = sluice__json(p, end);
        p = sluice__space(n.ptr + n.len, end);
        p = sluice__space(p + 1, end);
    }
    if (name) *name = n;
    *value = sluice__json(p, end);
    *at = (uint32_t)(value->ptr + value->len - in.ptr);
    return true;
}

// sluice_json_size is the number of members of an object or array.
static inline uint32_t sluice_json_size(sluice_json in) {
    uint32_t n = 0, at = 0;
    sluice_json v;
    while (sluice_json_next(in, &at, NULL, &v)) n++;
    return n;
}

static inline uint32_t sluice__utf8(uint32_t c, uint8_t *to) {
    if (c < 0x80) return to[0] = (uint8_t)c, 1;
    if (c < 0x800) return to[0] = (uint8_t)(0xc0 | c >> 6), to[1] = (uint8_t)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return to[0] = (uint8_t)(0xe0 | c >> 12), to[1] = (uint8_t)(0x80 | (c >> 6 & 63)), to[2] = (uint8_t)(0x80 | (c & 63)), 3;
    to[0] = (uint8_t)(0xf0 | c >> 18), to[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    to[2] = (uint8_t)(0x80 | (c >> 6 & 63)), to[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

static inline uint32_t sluice__hex4(const uint8_t *p) {
    return (uint32_t)(sluice__hex(p[0]) << 12 | sluice__hex(p[1]) << 8 | sluice__hex(p[2]) << 4 | sluice__hex(p[3]));
}

// sluice__char decodes what stands at p inside of a string into to and returns what is behind it.
static inline const uint8_t *sluice__char(const uint8_t *p, uint8_t to[4], uint32_t *n) {
    *n = 1;
    to[0] = *p++;
    if (to[0] != '\\') return p;
    switch (*p++) {
    case 'b': to[0] = '\b'; return p;
    case 'f': to[0] = '\f'; return p;
    case 'n': to[0] = '\n'; return p;
    case 'r': to[0] = '\r'; return p;
    case 't': to[0] = '\t'; return p;
    case 'u': break;
    default: to[0] = p[-1]; return p;
    }
    uint32_t c = sluice__hex4(p);
    p += 4;
    if (c >= 0xd800 && c < 0xe000) { // half of a pair; without the other half it is U+FFFD
        uint32_t low = c < 0xdc00 && p[0] == '\\' && p[1] == 'u' ? sluice__hex4(p + 2) : 0;
        bool pair = low >= 0xdc00 && low < 0xe000;
        c = pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
        if (pair) p += 6;
    }
    *n = sluice__utf8(c, to);
    return p;
}

// sluice__same compares a string with a name, which is escaped (~0, ~1) in a pointer.
static inline bool sluice__same(sluice_json s, sluice_bytes name, bool pointer) {
    const uint8_t *p = s.ptr + 1, *end = s.ptr + s.len - 1, *q = name.ptr, *qend = q + name.len;
    if (!name.ptr) return false; // null is no name, not even the empty one
    while (p < end) {
        uint8_t c[4];
        uint32_t n;
        p = sluice__char(p, c, &n);
        for (uint32_t i = 0; i < n; i++) {
            if (q == qend) return false;
            uint8_t want = *q++;
            if (pointer && want == '~' && q < qend && (*q == '0' || *q == '1')) want = *q++ == '0' ? '~' : '/';
            if (c[i] != want) return false;
        }
    }
    return q == qend;
}

static inline sluice_json sluice__member(sluice_json in, sluice_bytes name, bool pointer) {
    sluice_json n, v, found = {NULL, 0, SLUICE_JSON_MISSING};
    uint32_t at = 0;
    if (in.kind == SLUICE_JSON_OBJECT)
        while (sluice_json_next(in, &at, &n, &v))
            if (sluice__same(n, name, pointer)) found = v;
    return found;
}

// sluice_json_member is the member of an object that has this name.
#define sluice_json_member(in, name) sluice__member(in, sluice_text(name), false)

static inline sluice_json sluice__element(sluice_json in, sluice_bytes index) {
    sluice_json v, none = {NULL, 0, SLUICE_JSON_MISSING};
    uint32_t at = 0, want = 0;
    if (index.len == 0 || index.len > 9 || (index.len > 1 && index.ptr[0] == '0')) return none;
    for (uint32_t i = 0; i < index.len; i++) {
        if (index.ptr[i] < '0' || index.ptr[i] > '9') return none;
        want = want * 10 + (index.ptr[i] - '0');
    }
    while (sluice_json_next(in, &at, NULL, &v))
        if (want-- == 0) return v;
    return none;
}

// sluice_json_find follows a JSON Pointer (RFC 6901) from a value.
static inline sluice_json sluice__find(sluice_json in, sluice_bytes pointer) {
    const uint8_t *p = pointer.ptr, *end = p + pointer.len;
    while (p < end && in.kind != SLUICE_JSON_MISSING) {
        const uint8_t *token = p + 1;
        sluice_json none = {NULL, 0, SLUICE_JSON_MISSING};
        if (*p != '/') return none;
        for (p++; p < end && *p != '/';) p++;
        sluice_bytes t = sluice_view(token, (uint32_t)(p - token));
        in = in.kind == SLUICE_JSON_ARRAY ? sluice__element(in, t) : sluice__member(in, t, true);
    }
    return in;
}
#define sluice_json_find(in, pointer) sluice__find(in, sluice_text(pointer))

static inline sluice_json sluice__json_document(sluice_bytes doc) {
    sluice_json none = {NULL, 0, SLUICE_JSON_MISSING};
    if (!doc.ptr) return none;
    const uint8_t *end = doc.ptr + doc.len;
    sluice_json j = sluice__json(sluice__space(doc.ptr, end), end);
    return j.kind != SLUICE_JSON_MISSING && sluice__space(j.ptr + j.len, end) == end ? j : none;
}

// sluice_json_at is what a JSON Pointer finds in a document; SLUICE_JSON_MISSING if that is no JSON.
static inline sluice_json sluice__json_at(sluice_bytes doc, sluice_bytes pointer) { return sluice__find(sluice__json_document(doc), pointer); }
#define sluice_json_at(doc, pointer) sluice__json_at(sluice_text(doc), sluice_text(pointer))

static inline sluice_bytes sluice__unescape(sluice_json s, bool keep) {
    if (s.kind != SLUICE_JSON_STRING) return sluice_view(NULL, 0);
    const uint8_t *p = s.ptr + 1, *end = s.ptr + s.len - 1;
    while (p < end && *p != '\\') p++;
    if (p == end) return sluice_view(s.ptr + 1, s.len - 2);
    uint8_t *to = (uint8_t *)(keep ? sluice_keep(s.len) : sluice_room(s.len)), *out = to;
    if (!to) __builtin_trap();
    for (p = s.ptr + 1; p < end;) {
        uint32_t n;
        uint8_t c[4];
        p = sluice__char(p, c, &n);
        for (uint32_t i = 0; i < n; i++) *out++ = c[i];
    }
    return sluice_view(to, (uint32_t)(out - to));
}

// sluice_json_text is the bytes of a string, null if it is none. With escapes they are in sluice_room.
static inline sluice_bytes sluice_json_text(sluice_json s) { return sluice__unescape(s, false); }

// sluice_json_integer says whether j is a number without fraction and exponent that fits, and gives it.
static inline bool sluice_json_integer(sluice_json j, int64_t *n) {
    if (j.kind != SLUICE_JSON_NUMBER) return false;
    bool minus = j.ptr[0] == '-';
    uint64_t u = 0, most = minus ? 1ull << 63 : (1ull << 63) - 1;
    for (uint32_t i = minus; i < j.len; i++) {
        uint32_t digit = (uint32_t)j.ptr[i] - '0';
        if (digit > 9 || u > (most - digit) / 10) return false;
        u = u * 10 + digit;
    }
    *n = (int64_t)(minus ? 0 - u : u);
    return true;
}

static inline int64_t sluice_json_int(sluice_json j, int64_t fallback) {
    int64_t n;
    return sluice_json_integer(j, &n) ? n : fallback;
}

static inline bool sluice_json_bool(sluice_json j, bool fallback) { return j.kind == SLUICE_JSON_BOOL ? j.ptr[0] == 't' : fallback; }

// sluice_json_float is a number, correct to about 15 digits.
static inline double sluice_json_float(sluice_json j, double fallback) {
    if (j.kind != SLUICE_JSON_NUMBER) return fallback;
    uint64_t u = 0;
    int32_t shift = 0, exponent = 0, fraction = 0, minus = 0;
    uint32_t i = j.ptr[0] == '-';
    for (; i < j.len && (j.ptr[i] | 32) != 'e'; i++) {
        if (j.ptr[i] == '.') {
            fraction = 1;
        } else if (u < 100000000000000000ull) {
            u = u * 10 + (uint32_t)(j.ptr[i] - '0');
            shift -= fraction;
        } else {
            shift += 1 - fraction;
        }
    }
    for (i++; i < j.len; i++) {
        if (j.ptr[i] == '-') minus = 1;
        else if (j.ptr[i] != '+' && exponent < 10000) exponent = exponent * 10 + (j.ptr[i] - '0');
    }
    shift += minus ? -exponent : exponent;
    double d = (double)u, power = 1, base = 10;
    uint32_t e = (uint32_t)(shift < 0 ? -shift : shift);
    for (; e; e >>= 1, base *= base)
        if (e & 1) power *= base;
    d = u == 0 ? 0 : shift < 0 ? d / power : d * power;
    return j.ptr[0] == '-' ? -d : d;
}

// ---- Configuration: what configure gets. It stays for good.
typedef struct {
    sluice_json all, config;     // {"topic", "module", "version", "host", "config"}, and the last of them
    sluice_bytes refused, wrong; // why the module refuses it; the first value that was found wrong
} sluice_config;

SLUICE__WEAK sluice_config sluice__c = {{0, 0, SLUICE_JSON_MISSING}, {0, 0, SLUICE_JSON_MISSING}, {0, 0}, {0, 0}};

// sluice_refuse refuses the configuration once configure returns; the host shows the first reason.
static inline void sluice__refuse(sluice_config *c, sluice_bytes reason) {
    if (!c->refused.ptr) c->refused = reason;
}
#define sluice_refuse(c, reason) sluice__refuse(c, sluice_text(reason))

static inline sluice_bytes sluice_config_topic(sluice_config *c) { return sluice__unescape(sluice_json_member(c->all, "topic"), true); }
static inline sluice_bytes sluice_config_module(sluice_config *c) { return sluice__unescape(sluice_json_member(c->all, "module"), true); }
static inline sluice_bytes sluice_config_version(sluice_config *c) { return sluice__unescape(sluice_json_member(c->all, "version"), true); }
static inline sluice_bytes sluice_config_host(sluice_config *c) { return sluice__unescape(sluice_json_member(c->all, "host"), true); }

// sluice_config_at is what stands at a JSON Pointer of the config, of any type. What is null is missing.
static inline sluice_json sluice__config_at(sluice_config *c, sluice_bytes pointer) {
    sluice_json j = sluice__find(c->config, pointer);
    if (j.kind == SLUICE_JSON_NULL) j.kind = SLUICE_JSON_MISSING;
    return j;
}
#define sluice_config_at(c, pointer) sluice__config_at(c, sluice_text(pointer))
#define sluice_config_has(c, pointer) (sluice_config_at(c, pointer).kind != SLUICE_JSON_MISSING)

static inline sluice_bytes sluice__shortened(sluice_json j) { // keeps values out of the log that would fill it
    return j.len <= 80 ? sluice_view(j.ptr, j.len) : sluice_concat(sluice_view(j.ptr, 80), "...");
}

// sluice_config_wrong refuses the value at a pointer, for a rule such as "must be between 0 and 100".
static void sluice__config_wrong(sluice_config *c, sluice_bytes pointer, sluice_bytes rule) {
    if (c->wrong.ptr) return;
    sluice_json j = sluice__find(c->config, pointer);
    sluice_bytes s = sluice_concat("config ", pointer);
    if (j.kind != SLUICE_JSON_MISSING) s = sluice_concat(sluice_concat(s, ": "), sluice__shortened(j));
    c->wrong = sluice_concat(sluice_concat(s, " "), rule);
}
#define sluice_config_wrong(c, pointer, rule) sluice__config_wrong(c, sluice_text(pointer), sluice_text(rule))

static inline sluice_bytes sluice__config_string(sluice_config *c, sluice_bytes pointer, sluice_bytes fallback) {
    sluice_json j = sluice__config_at(c, pointer);
    if (j.kind == SLUICE_JSON_STRING) return sluice__unescape(j, true);
    if (j.kind != SLUICE_JSON_MISSING) sluice_config_wrong(c, pointer, "must be a string");
    return fallback;
}

static inline int64_t sluice__config_int(sluice_config *c, sluice_bytes pointer, int64_t fallback) {
    sluice_json j = sluice__config_at(c, pointer);
    int64_t n = fallback;
    if (!sluice_json_integer(j, &n) && j.kind != SLUICE_JSON_MISSING)
        sluice_config_wrong(c, pointer, "must be an integer of at most 64 bits");
    return n;
}

static inline double sluice__config_float(sluice_config *c, sluice_bytes pointer, double fallback) {
    sluice_json j = sluice__config_at(c, pointer);
    if (j.kind != SLUICE_JSON_MISSING && j.kind != SLUICE_JSON_NUMBER) sluice_config_wrong(c, pointer, "must be a number");
    return sluice_json_float(j, fallback);
}

static inline bool sluice__config_bool(sluice_config *c, sluice_bytes pointer, bool fallback) {
    sluice_json j = sluice__config_at(c, pointer);
    if (j.kind != SLUICE_JSON_MISSING && j.kind != SLUICE_JSON_BOOL) sluice_config_wrong(c, pointer, "must be true or false");
    return sluice_json_bool(j, fallback);
}

static inline bool sluice__config_strings(sluice_config *c, sluice_bytes pointer, uint32_t i, sluice_bytes *out) {
    sluice_json list = sluice__config_at(c, pointer), v;
    if (list.kind == SLUICE_JSON_MISSING) return false;
    if (list.kind != SLUICE_JSON_ARRAY) return sluice_config_wrong(c, pointer, "must be a list of strings"), false;
    for (uint32_t at = 0, k = 0; sluice_json_next(list, &at, NULL, &v); k++) {
        if (k != i) continue;
        *out = sluice__unescape(v, true);
        if (!out->ptr) sluice_config_wrong(c, sluice_concat(sluice_concat(pointer, "/"), sluice_decimal(i)), "must be a string");
        return out->ptr != NULL;
    }
    return false;
}

static inline bool sluice__config_keys(sluice_config *c, sluice_bytes pointer, uint32_t i, sluice_bytes *out) {
    sluice_json in = sluice__config_at(c, pointer), n, v;
    if (in.kind == SLUICE_JSON_MISSING) return false;
    if (in.kind != SLUICE_JSON_OBJECT) return sluice_config_wrong(c, pointer, "must be an object"), false;
    for (uint32_t at = 0; sluice_json_next(in, &at, &n, &v);) {
        if (i-- != 0) continue;
        *out = sluice__unescape(n, true);
        return true;
    }
    return false;
}

static inline bool sluice__listed(sluice_json name, sluice_bytes words) {
    for (uint32_t from = 0, to; from < words.len; from = to + 1) {
        for (to = from; to < words.len && words.ptr[to] != ' ';) to++;
        if (sluice__same(name, sluice_view(words.ptr + from, to - from), false)) return true;
    }
    return false;
}

// sluice_config_only refuses every key of the config that is not among the words of keys.
static inline void sluice__config_only(sluice_config *c, sluice_bytes keys) {
    sluice_json n, v;
    for (uint32_t at = 0; !c->wrong.ptr && sluice_json_next(c->config, &at, &n, &v);) {
        if (sluice__listed(n, keys)) continue;
        sluice_bytes s = sluice_concat(sluice_concat("config: unknown key ", sluice__shortened(n)), ", known are ");
        for (uint32_t i = 0; i < keys.len; i++) s = sluice_concat(s, keys.ptr[i] == ' ' ? sluice_text(", ") : sluice_view(keys.ptr + i, 1));
        c->wrong = s;
    }
}

// string, int, float, bool: what is there, or the fallback. strings, keys: the i-th string of a list, or name of an object's
// members, into *out; false = there are no more. A value of another type refuses the configuration.
#define sluice_config_string(c, pointer, fallback) sluice__config_string(c, sluice_text(pointer), sluice_text(fallback))
#define sluice_config_int(c, pointer, fallback) sluice__config_int(c, sluice_text(pointer), fallback)
#define sluice_config_float(c, pointer, fallback) sluice__config_float(c, sluice_text(pointer), fallback)
#define sluice_config_bool(c, pointer, fallback) sluice__config_bool(c, sluice_text(pointer), fallback)
#define sluice_config_strings(c, pointer, i, out) sluice__config_strings(c, sluice_text(pointer), i, out)
#define sluice_config_keys(c, pointer, i, out) sluice__config_keys(c, sluice_text(pointer), i, out)
#define sluice_config_only(c, keys) sluice__config_only(c, sluice_text(keys))

// ---- Hooks. A module has what it names here, once and outside of functions:
//
//	SLUICE_CONFIGURE(f)  void f(sluice_config *c)
//	SLUICE_PARTITION(f)  int32_t f(sluice_record *r)   a partition, or SLUICE_NOT_MINE
//	SLUICE_ON_SEND(f)    void f(sluice_record *r)
//	SLUICE_ON_ACK(f)     void f(const sluice_ack *a)
//	SLUICE_CLOSE(f)      void f(void)

static inline void sluice__begin(uint8_t *batch) {
    sluice__s.batch = batch;
    sluice__s.chunk = sluice__s.chunks;
    sluice__s.used = 0;
    sluice__s.headers_of = NULL;
}

#define SLUICE__EACH(batch, item, size)                                                              \
    uint8_t *item = (uint8_t *)(uintptr_t)sluice__get(batch, SLUICE_HDR_RECORDS);                    \
    for (uint32_t n_ = sluice__get(batch, SLUICE_HDR_COUNT), i_ = 0;                                 \
         i_ < n_ && (sluice__set(batch, SLUICE_HDR_PROGRESS, i_), true); i_++, item += size)

#define SLUICE_PARTITION(f)                                                                          \
    SLUICE__EXPORT("partition") int32_t sluice__export_partition(uint8_t *batch, uint32_t len) {     \
        (void)len;                                                                                   \
        sluice__begin(batch);                                                                        \
        SLUICE__EACH(batch, r, SLUICE_RECORD_SIZE)                                                   \
            sluice__set(r, SLUICE_REC_PARTITION, (uint32_t)(f)((sluice_record *)(void *)r));         \
        return 0;                                                                                    \
    }

#define SLUICE_ON_SEND(f)                                                                            \
    SLUICE__EXPORT("on_send") int32_t sluice__export_on_send(uint8_t *batch, uint32_t len) {         \
        (void)len;                                                                                   \
        sluice__begin(batch);                                                                        \
        SLUICE__EACH(batch, r, SLUICE_RECORD_SIZE)(f)((sluice_record *)(void *)r);                   \
        return 0;                                                                                    \
    }

#define SLUICE_ON_ACK(f)                                                                             \
    SLUICE__EXPORT("on_ack") int32_t sluice__export_on_ack(uint8_t *acks, uint32_t len) {            \
        (void)len;                                                                                   \
        sluice__begin(acks);                                                                         \
        SLUICE__EACH(acks, a, SLUICE_ACK_SIZE)(f)((const sluice_ack *)(const void *)a);              \
        return 0;                                                                                    \
    }

static inline int32_t sluice__configure(const void *json, uint32_t len, void (*f)(sluice_config *)) {
    sluice__begin(NULL);
    void *kept = sluice_keep(len);
    if (!kept) return -1;
    __builtin_memcpy(kept, json, len);
    sluice_config *c = &sluice__c;
    c->all = sluice__json_document(sluice_view(kept, len));
    c->config = sluice_json_member(c->all, "config");
    c->refused = c->wrong = sluice_view(NULL, 0);
    f(c);
    sluice_bytes reason = c->refused.ptr ? c->refused : c->wrong;
    if (reason.ptr) sluice_log(SLUICE_ERROR, reason);
    return reason.ptr ? -1 : 0;
}

#define SLUICE_CONFIGURE(f)                                                                          \
    SLUICE__EXPORT("configure") int32_t sluice__export_configure(const uint8_t *json, uint32_t len) { \
        return sluice__configure(json, len, f);                                                      \
    }

#define SLUICE_CLOSE(f)                                                                              \
    SLUICE__EXPORT("close") int32_t sluice__export_close(void) {                                     \
        (f)();                                                                                       \
        return 0;                                                                                    \
    }

#endif
