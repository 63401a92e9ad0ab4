// The conformance guest in C: guest-sdk/CONFORMANCE.md says what it does.
#include "../sluice.h"

// ---- A text that grows in sluice_room.
typedef struct {
    uint8_t *ptr;
    uint32_t len, room;
} text;

static void put(text *t, sluice_bytes b) {
    if (t->len + b.len > t->room) {
        uint32_t room = 2 * (t->len + b.len) + 64;
        uint8_t *p = (uint8_t *)sluice_room(room);
        if (!p) __builtin_trap();
        if (t->len) memcpy(p, t->ptr, t->len);
        t->ptr = p;
        t->room = room;
    }
    memcpy(t->ptr + t->len, b.ptr, b.len);
    t->len += b.len;
}

static void word(text *t, const char *s) { put(t, sluice_text(s)); }
static void byte(text *t, uint8_t c) { put(t, sluice_view(&c, 1)); }

static void number(text *t, const char *name, int64_t n) {
    word(t, name);
    put(t, sluice_decimal(n));
}

static void unsigned_number(text *t, const char *name, uint64_t n) {
    word(t, name);
    if (n >= 10) put(t, sluice_decimal((int64_t)(n / 10)));
    byte(t, (uint8_t)('0' + n % 10));
}

static void quoted(text *t, const char *name, sluice_bytes b) {
    word(t, name);
    if (!b.ptr) {
        word(t, "null");
        return;
    }
    byte(t, '"');
    for (uint32_t i = 0; i < b.len; i++) {
        uint8_t c = b.ptr[i];
        if (c >= 0x20 && c <= 0x7e && c != '"' && c != '\\') {
            byte(t, c);
            continue;
        }
        word(t, "\\x");
        byte(t, (uint8_t) "0123456789abcdef"[c >> 4]);
        byte(t, (uint8_t) "0123456789abcdef"[c & 15]);
    }
    byte(t, '"');
}

static sluice_bytes bytes_of(text *t) { return sluice_view(t->len ? t->ptr : (const uint8_t *)"", t->len); }

static void log_line(text *t) { sluice_log(SLUICE_INFO, bytes_of(t)); }

// ---- Dumps.
static sluice_bytes echo(const sluice_record *r) {
    text t = {NULL, 0, 0};
    number(&t, "index=", sluice_index(r));
    quoted(&t, " topic=", sluice_topic(r));
    number(&t, " partitions=", sluice_partitions(r));
    number(&t, " partition=", sluice_partition(r));
    number(&t, " timestamp=", sluice_timestamp(r));
    unsigned_number(&t, " cookie=", sluice_cookie(r));
    quoted(&t, " key=", sluice_key(r));
    quoted(&t, " value=", sluice_value(r));
    word(&t, " headers=[");
    for (uint32_t i = 0; i < sluice_header_count(r); i++) {
        sluice_header_view h = sluice_header_at(r, i);
        quoted(&t, i ? "," : "", h.name);
        quoted(&t, "=", h.value);
    }
    word(&t, "]");
    return bytes_of(&t);
}

static sluice_bytes json(sluice_json j) {
    text t = {NULL, 0, 0};
    int64_t n;
    switch (j.kind) {
    case SLUICE_JSON_MISSING: word(&t, "missing"); break;
    case SLUICE_JSON_NULL: word(&t, "null"); break;
    case SLUICE_JSON_BOOL: word(&t, sluice_json_bool(j, false) ? "true" : "false"); break;
    case SLUICE_JSON_STRING: quoted(&t, "string:", sluice_json_text(j)); break;
    case SLUICE_JSON_OBJECT: number(&t, "object:", sluice_json_size(j)); break;
    case SLUICE_JSON_ARRAY: number(&t, "array:", sluice_json_size(j)); break;
    case SLUICE_JSON_NUMBER:
        if (sluice_json_integer(j, &n)) number(&t, "int:", n);
        else number(&t, "float:", (int64_t)(sluice_json_float(j, 0) * 1000));
    }
    return bytes_of(&t);
}

// ---- Instructions.
typedef struct {
    sluice_bytes all, verb, arg; // arg.ptr is NULL without one
} instruction;

// split cuts b at the first c; *rest is null if there is none.
static sluice_bytes split(sluice_bytes b, char c, sluice_bytes *rest) {
    bool found;
    sluice_bytes first = sluice_until(b, c, &found);
    *rest = found ? sluice_view(b.ptr + first.len + 1, b.len - first.len - 1) : sluice_view(NULL, 0);
    return first;
}

static bool decimal(sluice_bytes b, bool minus, uint64_t most, uint64_t *out) {
    uint64_t n = 0;
    if (b.len == (minus ? 1 : 0)) return false;
    for (uint32_t i = minus; i < b.len; i++) {
        uint32_t digit = (uint32_t)b.ptr[i] - '0';
        if (digit > 9 || digit > most || n > (most - digit) / 10) return false;
        n = n * 10 + digit;
    }
    *out = minus ? 0 - n : n;
    return true;
}

static bool integer(sluice_bytes b, int64_t *out) {
    bool minus = b.len > 0 && b.ptr[0] == '-';
    uint64_t n;
    if (!b.ptr || !decimal(b, minus, (1ull << 63) - (minus ? 0 : 1), &n)) return false;
    *out = (int64_t)n;
    return true;
}

static bool is(instruction *in, const char *verb) { return sluice_equal(in->verb, verb); }

static void grow(sluice_record *r, uint32_t n) {
    volatile uint8_t *p = (volatile uint8_t *)sluice_room(n);
    int64_t sum = 0;
    if (!p) __builtin_trap();
    for (uint32_t i = 0; i < n; i += 4096) p[i] = 1;
    for (uint32_t i = 0; i < n; i += 4096) sum += p[i];
    sluice_set_value(r, sluice_decimal(sum));
}

// anywhere carries out what both hooks know; false = not known.
static bool anywhere(sluice_record *r, instruction *in, bool *failed) {
    sluice_bytes rest, name;
    int64_t n;
    (void)r;
    if (is(in, "trap")) __builtin_trap();
    if (is(in, "loop"))
        for (volatile int forever = 1; forever;) {}
    if (!in->arg.ptr) return false;
    if (is(in, "fail")) {
        sluice_fail(r, in->arg);
        return *failed = true;
    }
    name = split(in->arg, ':', &rest);
    if (is(in, "log") && rest.ptr && name.len == 1 && name.ptr[0] >= '0' && name.ptr[0] <= '4') {
        sluice_log(name.ptr[0] - '0', rest);
        return true;
    }
    if (is(in, "count") && integer(rest, &n)) {
        sluice_counter_add(name, n);
        return true;
    }
    return false;
}

static bool with_headers(sluice_record *r, instruction *in) {
    sluice_bytes value, name = split(in->arg, '=', &value);
    if (is(in, "null-header")) return sluice_set_header(r, in->arg, sluice_view(NULL, 0)), true;
    if (is(in, "remove-header")) return sluice_remove_header(r, in->arg), true;
    if (!value.ptr) return false;
    if (is(in, "set-header")) return sluice_set_header(r, name, value), true;
    if (is(in, "add-header")) return sluice_add_header(r, name, value), true;
    return false;
}

static bool with_argument(sluice_record *r, instruction *in) {
    int64_t n;
    uint64_t cookie;
    if (!in->arg.ptr) return false;
    if (is(in, "set-key")) return sluice_set_key(r, in->arg), true;
    if (is(in, "set-value")) return sluice_set_value(r, in->arg), true;
    if (is(in, "route")) return sluice_route(r, in->arg), true;
    if (is(in, "json")) return sluice_set_value(r, json(sluice_json_at(sluice_value(r), in->arg))), true;
    if (is(in, "cookie") && decimal(in->arg, false, ~0ull, &cookie)) return sluice_set_cookie(r, cookie), true;
    if (is(in, "set-timestamp") && integer(in->arg, &n)) return sluice_set_timestamp(r, n), true;
    if (is(in, "grow") && integer(in->arg, &n)) return grow(r, (uint32_t)n), true;
    return with_headers(r, in);
}

static bool plain(sluice_record *r, instruction *in) {
    if (is(in, "noop") || is(in, "mod") || is(in, "partition")) return true;
    if (is(in, "null-key")) return sluice_set_null_key(r), true;
    if (is(in, "null-value")) return sluice_set_null_value(r), true;
    if (is(in, "drop")) return sluice_drop(r), true;
    if (is(in, "now")) return sluice_set_value(r, sluice_decimal(sluice_now_ms())), true;
    if (is(in, "echo")) return sluice_set_value(r, echo(r)), true;
    return false;
}

static void unknown(sluice_record *r, instruction *in) { sluice_fail(r, sluice_concat("unknown instruction: ", in->all)); }

// instructions copies out what the headers named "do" say, so that a change of headers changes none of it.
static uint32_t instructions(const sluice_record *r, instruction **list) {
    uint32_t n = sluice_header_count(r), k = 0;
    *list = (instruction *)sluice_room(n * (uint32_t)sizeof **list);
    if (!*list) __builtin_trap();
    for (uint32_t i = 0; i < n; i++) {
        sluice_header_view h = sluice_header_at(r, i);
        if (!sluice_equal(h.name, "do")) continue;
        (*list)[k].all = h.value;
        (*list)[k].verb = split(h.value, ':', &(*list)[k].arg);
        k++;
    }
    return k;
}

static void on_send(sluice_record *r) {
    instruction *list;
    uint32_t n = instructions(r, &list);
    bool failed = false;
    for (uint32_t i = 0; i < n && !failed; i++) {
        if (anywhere(r, &list[i], &failed) || plain(r, &list[i]) || with_argument(r, &list[i])) continue;
        unknown(r, &list[i]);
        return;
    }
}

static int32_t partition(sluice_record *r) {
    instruction *list;
    uint32_t count = instructions(r, &list);
    int32_t chosen = SLUICE_NOT_MINE;
    bool failed = false;
    for (uint32_t i = 0; i < count && !failed; i++) {
        instruction *in = &list[i];
        int64_t n;
        if (anywhere(r, in, &failed)) continue;
        if (is(in, "partition") && integer(in->arg, &n)) {
            chosen = (int32_t)n;
        } else if (is(in, "mod")) {
            chosen = sluice_key_partition(sluice_key(r), sluice_partitions(r));
        } else if (is(in, "partition") || is(in, "fail") || is(in, "log") || is(in, "count")) {
            unknown(r, in);
            break;
        }
    }
    return chosen;
}

static void on_ack(const sluice_ack *a) {
    text t = {NULL, 0, 0};
    if (sluice_ack_cookie(a) == ~0ull) __builtin_trap();
    quoted(&t, "ack topic=", sluice_ack_topic(a));
    number(&t, " partition=", sluice_ack_partition(a));
    number(&t, " error=", sluice_ack_error(a));
    number(&t, " offset=", sluice_ack_offset(a));
    number(&t, " timestamp=", sluice_ack_timestamp(a));
    quoted(&t, " message=", sluice_ack_message(a));
    unsigned_number(&t, " cookie=", sluice_ack_cookie(a));
    number(&t, " key_size=", sluice_ack_key_size(a));
    number(&t, " value_size=", sluice_ack_value_size(a));
    log_line(&t);
}

// ---- Configuration.
static void list(text *t, sluice_config *c, sluice_bytes pointer, bool keys) {
    sluice_bytes s;
    word(t, "[");
    for (uint32_t i = 0; keys ? sluice_config_keys(c, pointer, i, &s) : sluice_config_strings(c, pointer, i, &s); i++)
        quoted(t, i ? "," : "", s);
    word(t, "]");
}

static void read(sluice_config *c, sluice_bytes entry) {
    sluice_bytes pointer, type = split(entry, ':', &pointer);
    text t = {NULL, 0, 0};
    word(&t, "read ");
    put(&t, entry);
    word(&t, " = ");
    if (!pointer.ptr) return;
    if (sluice_equal(type, "string")) quoted(&t, "", sluice_config_string(c, pointer, "fallback"));
    if (sluice_equal(type, "int")) number(&t, "", sluice_config_int(c, pointer, -7));
    if (sluice_equal(type, "float")) number(&t, "", (int64_t)(sluice_config_float(c, pointer, 0.5) * 1000));
    if (sluice_equal(type, "bool")) word(&t, sluice_config_bool(c, pointer, false) ? "true" : "false");
    if (sluice_equal(type, "has")) word(&t, sluice_config_has(c, pointer) ? "true" : "false");
    if (sluice_equal(type, "strings") || sluice_equal(type, "keys")) list(&t, c, pointer, sluice_equal(type, "keys"));
    log_line(&t);
}

static void configure(sluice_config *c) {
    text t = {NULL, 0, 0};
    sluice_bytes s;
    quoted(&t, "configure topic=", sluice_config_topic(c));
    quoted(&t, " module=", sluice_config_module(c));
    quoted(&t, " version=", sluice_config_version(c));
    quoted(&t, " host=", sluice_config_host(c));
    log_line(&t);
    if (sluice_config_has(c, "/only")) {
        text keys = {NULL, 0, 0};
        word(&keys, "only read refuse");
        for (uint32_t i = 0; sluice_config_strings(c, "/only", i, &s); i++) {
            word(&keys, " ");
            put(&keys, s);
        }
        sluice_config_only(c, bytes_of(&keys));
    }
    for (uint32_t i = 0; sluice_config_strings(c, "/read", i, &s); i++) read(c, s);
    s = sluice_config_string(c, "/refuse", sluice_view(NULL, 0));
    if (s.ptr) sluice_refuse(c, s);
}

static void on_close(void) { sluice_log(SLUICE_INFO, "close"); }

SLUICE_CONFIGURE(configure)
SLUICE_PARTITION(partition)
SLUICE_ON_SEND(on_send)
SLUICE_ON_ACK(on_ack)
SLUICE_CLOSE(on_close)
