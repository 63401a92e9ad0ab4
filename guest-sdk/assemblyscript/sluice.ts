// sluice.ts: everything a module for Sluice written in AssemblyScript (0.28) needs. See README.md. Every module says
//
//     export { sluice_abi_v1, sluice_alloc } from "./sluice";
//
// What a getter of a record returns is a view: it is valid until the function that got the record returns. What is set is
// copied (unless it is a part of the input), so a buffer may be used again at once.

// ---- The layout of sluice_v1: guest-sdk/abi/layout.go is its home, and a test compares the two.
const HEADER_SIZE: usize = 32;
const HDR_MAGIC: usize = 0;
const HDR_SIZE: usize = 4;
const HDR_COUNT: usize = 8;
const HDR_RECORDS: usize = 12;
const HDR_TOPICS: usize = 16;
const HDR_N_TOPICS: usize = 20;
const HDR_FLAGS: usize = 24;
const HDR_PROGRESS: usize = 28;
const BATCH_MAGIC: u32 = 0x31424c53;
const ACKS_MAGIC: u32 = 0x31414c53;
const DRY_RUN: u32 = 1;

const TOPIC_SIZE: usize = 16;
const TOPIC_NAME: usize = 0;
const TOPIC_NAME_LEN: usize = 4;
const TOPIC_PARTITIONS: usize = 8;

const RECORD_SIZE: usize = 64;
const REC_KEY: usize = 0;
const REC_KEY_LEN: usize = 4;
const REC_VALUE: usize = 8;
const REC_VALUE_LEN: usize = 12;
const REC_HEADERS: usize = 16;
const REC_HEADER_COUNT: usize = 20;
const REC_TIMESTAMP: usize = 24;
const REC_TOPIC: usize = 32;
const REC_PARTITION: usize = 36;
const REC_FLAGS: usize = 40;
const REC_ROUTE_LEN: usize = 44;
const REC_ROUTE: usize = 48;
const REC_COOKIE: usize = 56;

const FLAG_KEY: u32 = 1;
const FLAG_VALUE: u32 = 2;
const FLAG_HEADERS: u32 = 4;
const FLAG_TIMESTAMP: u32 = 8;
const FLAG_ROUTE: u32 = 16;
const FLAG_DROP: u32 = 32;
const ALL_FLAGS: u32 = 63;

const KEY_VALUE_SIZE: usize = 16;
const KV_KEY: usize = 0;
const KV_KEY_LEN: usize = 4;
const KV_VALUE: usize = 8;
const KV_VALUE_LEN: usize = 12;

const ACK_SIZE: usize = 64;
const ACK_COOKIE: usize = 0;
const ACK_TOPIC: usize = 8;
const ACK_TOPIC_LEN: usize = 12;
const ACK_PARTITION: usize = 16;
const ACK_ERROR: usize = 20;
const ACK_OFFSET: usize = 24;
const ACK_TIMESTAMP: usize = 32;
const ACK_MESSAGE: usize = 40;
const ACK_MESSAGE_LEN: usize = 44;
const ACK_KEY_SIZE: usize = 48;
const ACK_VALUE_SIZE: usize = 52;

const NULL: i32 = -1;
const MAX_REASON: i32 = 512;
const MAX_LINE: i32 = 1024;

/** What a partitioner returns to leave a record to the default partitioner. */
export const NOT_MINE: i32 = -1;

/** The levels of a log line. */
export enum Level {
  Trace = 0,
  Debug = 1,
  Info = 2,
  Warn = 3,
  Error = 4,
}

@external("sluice_v1", "log")
declare function hostLog(level: i32, ptr: usize, len: usize): void;
@external("sluice_v1", "record_error")
declare function hostRecordError(index: u32, ptr: usize, len: usize): void;
@external("sluice_v1", "counter_add")
declare function hostCounterAdd(ptr: usize, len: usize, delta: i64): void;
@external("sluice_v1", "now_ms")
declare function hostNowMS(): i64;

// ---- Memory: one buffer for the host's input, and chunks for copies of what was set, which the next call uses again.
let input = new ArrayBuffer(0);
let keyView = Uint8Array.wrap(input); // what key() returns is always this one, so that it costs nothing
let valueView = Uint8Array.wrap(input);
const chunks: ArrayBuffer[] = [];
let chunk = 0; // the one in use
let used: usize = 0; // bytes of it

export function sluice_abi_v1(): void {}

export function sluice_alloc(size: usize): usize {
  if (size > <usize>input.byteLength || input.byteLength == 0) {
    input = new ArrayBuffer(<i32>(size < 32768 ? <usize>65536 : size < 1 << 20 ? size << 1 : size + (size >> 2)));
    keyView = Uint8Array.wrap(input);
    valueView = Uint8Array.wrap(input);
  }
  return changetype<usize>(input);
}

function room(n: usize): usize {
  n = (n + 7) & ~7;
  while (chunk < chunks.length) {
    const c = unchecked(chunks[chunk]);
    if (<usize>c.byteLength - used >= n) {
      const p = changetype<usize>(c) + used;
      used += n;
      return p;
    }
    chunk++;
    used = 0;
  }
  const last: usize = chunk > 0 ? <usize>chunks[chunk - 1].byteLength : 4096;
  const c = new ArrayBuffer(<i32>max<usize>(min<usize>(2 * last, 1 << 20), n));
  chunks.push(c);
  used = n;
  return changetype<usize>(c);
}

// @ts-ignore: decorator
@inline
function within(buffer: ArrayBuffer, ptr: usize, n: usize): bool {
  return ptr >= changetype<usize>(buffer) && ptr + n <= changetype<usize>(buffer) + <usize>buffer.byteLength;
}

// place returns where n bytes at ptr stand until the next call: where they are, if that is the input, or a copy.
function place(ptr: usize, n: usize): usize {
  if (within(input, ptr, n)) return ptr;
  const to = room(max<usize>(n, 1));
  memory.copy(to, ptr, n);
  return to;
}

// view makes an array of bytes that stand in the input or in a chunk.
function view(ptr: usize, n: i32): Uint8Array {
  if (n == 0) return new Uint8Array(0);
  if (within(input, ptr, n)) return Uint8Array.wrap(input, <i32>(ptr - changetype<usize>(input)), n);
  for (let i = 0; i < chunks.length; i++) {
    if (within(chunks[i], ptr, n)) return Uint8Array.wrap(chunks[i], <i32>(ptr - changetype<usize>(chunks[i])), n);
  }
  const copy = new Uint8Array(n);
  memory.copy(copy.dataStart, ptr, n);
  return copy;
}

// @ts-ignore: decorator
@inline
function aim(v: Uint8Array, ptr: usize, n: i32): Uint8Array {
  store<usize>(changetype<usize>(v), ptr, offsetof<Uint8Array>("dataStart"));
  store<i32>(changetype<usize>(v), n, offsetof<Uint8Array>("byteLength"));
  return v;
}

// put writes s as UTF-8 and returns where; putLength is how long it is.
let putLength: usize = 0;
function put(s: string): usize {
  putLength = String.UTF8.byteLength(s);
  const p = room(max<usize>(putLength, 1));
  String.UTF8.encodeUnsafe(changetype<usize>(s), s.length, p);
  return p;
}

// is says whether n bytes at ptr are s.
function is(ptr: usize, n: usize, s: string): bool {
  const length = s.length;
  let ascii = <usize>length == n;
  for (let i = 0; i < length; i++) {
    const c = load<u16>(changetype<usize>(s) + (<usize>i << 1));
    if (c >= 128) {
      const p = put(s);
      return putLength == n && memory.compare(p, ptr, n) == 0;
    }
    if (ascii && c != load<u8>(ptr + i)) ascii = false;
  }
  return ascii;
}

/** The bytes of a text, as UTF-8. */
export function utf8(s: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(s));
}

/** Bytes as a text; null becomes "". */
export function text(b: Uint8Array | null): string {
  return b ? String.UTF8.decodeUnsafe(b.dataStart, b.byteLength) : "";
}

// ---- The host.

/** Writes a line to the module's log. */
export function log(level: i32, line: string): void {
  const p = put(line);
  hostLog(level, p, putLength);
}

/** Adds to a metric of the module; its name matches [a-z0-9_]{1,48}. */
export function counterAdd(name: string, delta: i64): void {
  const p = put(name);
  hostCounterAdd(p, putLength, delta);
}

/** Unix milliseconds, the same throughout one call. */
export function nowMS(): i64 {
  return hostNowMS();
}

// ---- Records.

let batch: usize = 0; // the batch at hand
let headersOf: usize = 0; // the record whose list of headers is ours
let headersRoom: u32 = 0; // and how many that has room for

/** One record on its way to Kafka. */
@final
@unmanaged
export class Record {
  // @ts-ignore: decorator
  @inline
  private get at(): usize {
    return changetype<usize>(this);
  }

  /** null = a null key. */
  // @ts-ignore: decorator
  @inline
  key(): Uint8Array | null {
    const n = load<i32>(this.at, REC_KEY_LEN);
    if (n < 0) return null;
    return aim(keyView, load<usize>(this.at, REC_KEY), n);
  }

  /** null = a null value. */
  // @ts-ignore: decorator
  @inline
  value(): Uint8Array | null {
    const n = load<i32>(this.at, REC_VALUE_LEN);
    if (n < 0) return null;
    return aim(valueView, load<usize>(this.at, REC_VALUE), n);
  }

  /** Unix milliseconds, -1 = when it is sent. */
  timestamp(): i64 {
    return load<i64>(this.at, REC_TIMESTAMP);
  }

  // @ts-ignore: decorator
  @inline
  private topicAt(): usize {
    return load<usize>(batch, HDR_TOPICS) + load<usize>(this.at, REC_TOPIC) * TOPIC_SIZE;
  }

  /** The name of the topic that the record came in for. */
  topic(): string {
    return String.UTF8.decodeUnsafe(load<usize>(this.topicAt(), TOPIC_NAME), load<usize>(this.topicAt(), TOPIC_NAME_LEN));
  }

  /** How many partitions that topic has, 0 when that is not known (in on_send). */
  partitions(): i32 {
    return load<i32>(this.topicAt(), TOPIC_PARTITIONS);
  }

  /** The partition the record came with, -1 = none. */
  partition(): i32 {
    return load<i32>(this.at, REC_PARTITION);
  }

  /** Where the record stands in the batch. */
  index(): i32 {
    return <i32>((this.at - load<usize>(batch, HDR_RECORDS)) / RECORD_SIZE);
  }

  /** Says whether nothing of what the module does is used. */
  dryRun(): bool {
    return (load<u32>(batch, HDR_FLAGS) & DRY_RUN) != 0;
  }

  /** 64 bits of the module's own, at first 0. */
  cookie(): u64 {
    return load<u64>(this.at, REC_COOKIE);
  }

  /** Sets what on_ack gets back, maybe in another instance. */
  setCookie(cookie: u64): void {
    store<u64>(this.at, cookie, REC_COOKIE);
  }

  private flag(flag: u32): void {
    store<u32>(this.at, load<u32>(this.at, REC_FLAGS) | flag, REC_FLAGS);
  }

  /** Sets the key; null is null. */
  setKey(key: Uint8Array | null): void {
    setBytes(this.at + REC_KEY, key);
    keyView = Uint8Array.wrap(input); // what key() returned so far stays what it was
    this.flag(FLAG_KEY);
  }

  setNullKey(): void {
    this.setKey(null);
  }

  /** Sets the value; null is null. */
  setValue(value: Uint8Array | null): void {
    setBytes(this.at + REC_VALUE, value);
    valueView = Uint8Array.wrap(input);
    this.flag(FLAG_VALUE);
  }

  setNullValue(): void {
    this.setValue(null);
  }

  /** Unix milliseconds, -1 = when it is sent. */
  setTimestamp(ms: i64): void {
    store<i64>(this.at, ms, REC_TIMESTAMP);
    this.flag(FLAG_TIMESTAMP);
  }

  /** Sends the record to another topic, which the binding must allow. */
  route(topic: string): void {
    store<usize>(this.at, put(topic), REC_ROUTE);
    store<usize>(this.at, putLength, REC_ROUTE_LEN);
    this.flag(FLAG_ROUTE);
  }

  /** Lets the record end here. Its sender is told. */
  drop(): void {
    this.flag(FLAG_DROP);
  }

  /** Marks the record failed; what else was done to it is not used. */
  fail(reason: string): void {
    const p = put(reason);
    hostRecordError(this.index(), p, putLength);
  }

  headerCount(): i32 {
    return load<i32>(this.at, REC_HEADER_COUNT);
  }

  private headerAt(i: i32): usize {
    if (<u32>i >= load<u32>(this.at, REC_HEADER_COUNT)) throw new RangeError("no such header");
    return load<usize>(this.at, REC_HEADERS) + <usize>i * KEY_VALUE_SIZE;
  }

  private named(i: i32, name: string): bool {
    const kv = this.headerAt(i);
    return is(load<usize>(kv, KV_KEY), load<usize>(kv, KV_KEY_LEN), name);
  }

  private find(name: string): i32 {
    let i = this.headerCount() - 1;
    while (i >= 0 && !this.named(i, name)) i--;
    return i;
  }

  headerName(i: i32): string {
    const kv = this.headerAt(i);
    return String.UTF8.decodeUnsafe(load<usize>(kv, KV_KEY), load<usize>(kv, KV_KEY_LEN));
  }

  /** null = a null value. */
  headerValue(i: i32): Uint8Array | null {
    const kv = this.headerAt(i);
    const n = load<i32>(kv, KV_VALUE_LEN);
    return n < 0 ? null : view(load<usize>(kv, KV_VALUE), n);
  }

  /** The value of the last header of a name; null = there is none, or it is null, see hasHeader. */
  header(name: string): Uint8Array | null {
    const i = this.find(name);
    return i < 0 ? null : this.headerValue(i);
  }

  hasHeader(name: string): bool {
    return this.find(name) >= 0;
  }

  // ownHeaders makes the list of headers ours, with room for more of them: the host's may be full.
  private ownHeaders(more: u32): void {
    const n = load<u32>(this.at, REC_HEADER_COUNT);
    if (headersOf != this.at || n + more > headersRoom) {
      headersOf = this.at;
      headersRoom = n + more + (n >> 1) + 3;
      const list = room(<usize>headersRoom * KEY_VALUE_SIZE);
      memory.copy(list, load<usize>(this.at, REC_HEADERS), <usize>n * KEY_VALUE_SIZE);
      store<usize>(this.at, list, REC_HEADERS);
    }
    this.flag(FLAG_HEADERS);
  }

  /** Takes all headers of the name away and adds one at the end; a null value is null. */
  setHeader(name: string, value: Uint8Array | null): void {
    this.removeHeader(name);
    this.addHeader(name, value);
  }

  /** Adds a header at the end; those of the same name stay. */
  addHeader(name: string, value: Uint8Array | null): void {
    const n = load<u32>(this.at, REC_HEADER_COUNT);
    this.ownHeaders(1);
    const kv = load<usize>(this.at, REC_HEADERS) + <usize>n * KEY_VALUE_SIZE;
    store<usize>(kv, put(name), KV_KEY);
    store<usize>(kv, putLength, KV_KEY_LEN);
    setBytes(kv + KV_VALUE, value);
    store<u32>(this.at, n + 1, REC_HEADER_COUNT);
  }

  /** Takes all headers of a name away. */
  removeHeader(name: string): void {
    if (this.find(name) < 0) return;
    this.ownHeaders(0);
    const n = this.headerCount();
    let to = this.headerAt(0);
    for (let i = 0; i < n; i++) {
      if (this.named(i, name)) continue;
      memory.copy(to, this.headerAt(i), KEY_VALUE_SIZE);
      to += KEY_VALUE_SIZE;
    }
    store<u32>(this.at, <u32>((to - this.headerAt(0)) / KEY_VALUE_SIZE), REC_HEADER_COUNT);
  }
}

// setBytes writes address and length of b or of its copy.
function setBytes(at: usize, b: Uint8Array | null): void {
  store<usize>(at, b ? place(b.dataStart, b.byteLength) : 0);
  store<i32>(at, b ? b.byteLength : NULL, 4);
}

/** What became of a record that was sent. */
@final
@unmanaged
export class Ack {
  // @ts-ignore: decorator
  @inline
  private get at(): usize {
    return changetype<usize>(this);
  }

  cookie(): u64 {
    return load<u64>(this.at, ACK_COOKIE);
  }

  topic(): string {
    return String.UTF8.decodeUnsafe(load<usize>(this.at, ACK_TOPIC), load<usize>(this.at, ACK_TOPIC_LEN));
  }

  /** -1 = never chosen. */
  partition(): i32 {
    return load<i32>(this.at, ACK_PARTITION);
  }

  /** Kafka's error code: 0 = stored, -1 = an error that Kafka has no code for. */
  error(): i32 {
    return load<i32>(this.at, ACK_ERROR);
  }

  /** -1 = not stored or not known. */
  offset(): i64 {
    return load<i64>(this.at, ACK_OFFSET);
  }

  /** Unix milliseconds, -1 = not stored. */
  timestamp(): i64 {
    return load<i64>(this.at, ACK_TIMESTAMP);
  }

  /** What went wrong. */
  message(): string {
    return String.UTF8.decodeUnsafe(load<usize>(this.at, ACK_MESSAGE), load<usize>(this.at, ACK_MESSAGE_LEN));
  }

  /** -1 = null. */
  keySize(): i32 {
    return load<i32>(this.at, ACK_KEY_SIZE);
  }

  /** -1 = null. */
  valueSize(): i32 {
    return load<i32>(this.at, ACK_VALUE_SIZE);
  }
}

// ---- Kafka's hash.

/** The hash Kafka's default partitioner takes of a key. */
export function murmur2(b: Uint8Array): i32 {
  const m: u32 = 0x5bd1e995;
  let n = <usize>b.byteLength;
  let p = b.dataStart;
  let h: u32 = 0x9747b28c ^ <u32>n;
  for (; n >= 4; n -= 4, p += 4) {
    const k = load<u32>(p) * m;
    h = (h * m) ^ ((k ^ (k >> 24)) * m);
  }
  if (n > 2) h ^= <u32>load<u8>(p, 2) << 16;
  if (n > 1) h ^= <u32>load<u8>(p, 1) << 8;
  if (n > 0) h = (h ^ <u32>load<u8>(p)) * m;
  h = (h ^ (h >> 13)) * m;
  return <i32>(h ^ (h >> 15));
}

/** The partition Kafka's default partitioner gives a key; NOT_MINE if it is null or partitions <= 0. */
export function keyPartition(key: Uint8Array | null, partitions: i32): i32 {
  if (!key || partitions <= 0) return NOT_MINE;
  return (<u32>murmur2(key) & 0x7fffffff) % <u32>partitions;
}

// ---- JSON, read where it stands.

const DEPTH = 128; // how deep a text may be nested; what is deeper is taken for no JSON

export enum Kind {
  Null,
  Bool,
  Number,
  String,
  Object,
  Array,
}

let kind: i32 = 0; // of what skip found

function space(p: usize, end: usize): usize {
  while (p < end) {
    const c = load<u8>(p);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) break;
    p++;
  }
  return p;
}

function hex(c: u32): i32 {
  if (c - 0x30 <= 9) return c - 0x30;
  c |= 32;
  return c >= 0x61 && c <= 0x66 ? c - 0x61 + 10 : -1;
}

// The skip functions return the end of what begins at p, 0 if there is no such thing.
function skipString(p: usize, end: usize): usize {
  for (p++; p < end; p++) {
    let c = load<u8>(p);
    if (c == 0x22) return p + 1;
    if (c < 32) return 0;
    if (c != 0x5c) continue;
    if (++p == end) return 0;
    c = load<u8>(p);
    if (c == 0x75) {
      for (let i = 0; i < 4; i++) {
        if (++p == end || hex(load<u8>(p)) < 0) return 0;
      }
    } else if (c != 0x22 && c != 0x5c && c != 0x2f && c != 0x62 && c != 0x66 && c != 0x6e && c != 0x72 && c != 0x74) {
      return 0;
    }
  }
  return 0;
}

function skipDigits(p: usize, end: usize): usize {
  const from = p;
  while (p < end && <u32>load<u8>(p) - 0x30 <= 9) p++;
  return p == from ? 0 : p;
}

function skipNumber(p: usize, end: usize): usize {
  if (load<u8>(p) == 0x2d) p++;
  p = p < end && load<u8>(p) == 0x30 ? p + 1 : skipDigits(p, end);
  if (p && p < end && load<u8>(p) == 0x2e) p = skipDigits(p + 1, end);
  if (p && p < end && (load<u8>(p) | 32) == 0x65) {
    p++;
    if (p < end && (load<u8>(p) == 0x2b || load<u8>(p) == 0x2d)) p++;
    p = skipDigits(p, end);
  }
  return p;
}

function skipWord(p: usize, end: usize, word: string): usize {
  const n = <usize>word.length;
  return end - p >= n && is(p, n, word) ? p + n : 0;
}

function skipMembers(p: usize, end: usize, depth: i32): usize {
  const close: u8 = load<u8>(p) + 2; // of [ ] and of { }
  p = space(p + 1, end);
  if (p < end && load<u8>(p) == close) return p + 1;
  while (true) {
    if (close == 0x7d) {
      if (p == end || load<u8>(p) != 0x22) return 0;
      p = skipString(p, end);
      if (!p) return 0;
      p = space(p, end);
      if (p == end || load<u8>(p) != 0x3a) return 0;
      p = space(p + 1, end);
    }
    p = skip(p, end, depth - 1);
    if (!p) return 0;
    p = space(p, end);
    if (p == end) return 0;
    if (load<u8>(p) == close) return p + 1;
    if (load<u8>(p) != 0x2c) return 0;
    p = space(p + 1, end);
  }
}

function skip(p: usize, end: usize, depth: i32): usize {
  if (p >= end || depth == 0) return 0;
  const c = load<u8>(p);
  let after: usize;
  let found: i32;
  if (c == 0x7b || c == 0x5b) {
    after = skipMembers(p, end, depth);
    found = c == 0x7b ? Kind.Object : Kind.Array;
  } else if (c == 0x22) {
    after = skipString(p, end);
    found = Kind.String;
  } else if (c == 0x74 || c == 0x66) {
    after = skipWord(p, end, c == 0x74 ? "true" : "false");
    found = Kind.Bool;
  } else if (c == 0x6e) {
    after = skipWord(p, end, "null");
    found = Kind.Null;
  } else {
    after = skipNumber(p, end);
    found = Kind.Number;
  }
  kind = found;
  return after;
}

function hex4(p: usize): u32 {
  return (hex(load<u8>(p)) << 12) | (hex(load<u8>(p, 1)) << 8) | (hex(load<u8>(p, 2)) << 4) | hex(load<u8>(p, 3));
}

function putUTF8(c: u32, to: usize): usize {
  if (c < 0x80) {
    store<u8>(to, c);
    return 1;
  }
  if (c < 0x800) {
    store<u8>(to, 0xc0 | (c >> 6));
    store<u8>(to, 0x80 | (c & 63), 1);
    return 2;
  }
  if (c < 0x10000) {
    store<u8>(to, 0xe0 | (c >> 12));
    store<u8>(to, 0x80 | ((c >> 6) & 63), 1);
    store<u8>(to, 0x80 | (c & 63), 2);
    return 3;
  }
  store<u8>(to, 0xf0 | (c >> 18));
  store<u8>(to, 0x80 | ((c >> 12) & 63), 1);
  store<u8>(to, 0x80 | ((c >> 6) & 63), 2);
  store<u8>(to, 0x80 | (c & 63), 3);
  return 4;
}

// unescape writes the string whose inside is [p, end) to `to`, which has room for as much, and returns its length.
function unescape(p: usize, end: usize, to: usize): i32 {
  const from = to;
  while (p < end) {
    let c: u32 = load<u8>(p++);
    if (c != 0x5c) {
      store<u8>(to++, c);
      continue;
    }
    c = load<u8>(p++);
    if (c != 0x75) {
      store<u8>(to++, c == 0x62 ? 8 : c == 0x66 ? 12 : c == 0x6e ? 10 : c == 0x72 ? 13 : c == 0x74 ? 9 : c);
      continue;
    }
    c = hex4(p);
    p += 4;
    if (c >= 0xd800 && c < 0xe000) { // half of a pair; without the other half it is U+FFFD
      const more = c < 0xdc00 && p < end && load<u8>(p) == 0x5c && load<u8>(p, 1) == 0x75;
      const low = more ? hex4(p + 2) : 0;
      const pair = low >= 0xdc00 && low < 0xe000;
      c = pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
      if (pair) p += 6;
    }
    to += putUTF8(c, to);
  }
  return <i32>(to - from);
}

/** A JSON value where it stands in its text. */
@final
export class Json {
  constructor(private owner: ArrayBuffer, public kind: i32, private ptr: usize, private end: usize) {}

  /** The text it was read from. */
  raw(): string {
    return String.UTF8.decodeUnsafe(this.ptr, this.end - this.ptr);
  }

  /** The number of members of an object or array. */
  size(): i32 {
    const m = this.members();
    let n = 0;
    while (m.next()) n++;
    return n;
  }

  /** Walks over the members of an object or array. */
  members(): Members {
    return new Members(this.owner, this.kind, this.ptr, this.end);
  }

  /** The last member of an object with this name. */
  get(name: string): Json | null {
    let found: Json | null = null;
    if (this.kind != Kind.Object) return null;
    const m = this.members();
    while (m.next()) {
      if (m.named(name)) found = m.value();
    }
    return found;
  }

  /** What a JSON Pointer (RFC 6901) finds. */
  at(pointer: string): Json | null {
    if (pointer.length == 0) return this;
    if (pointer.charCodeAt(0) != 0x2f) return null;
    const tokens = pointer.split("/");
    let v: Json | null = this;
    for (let i = 1; v && i < tokens.length; i++) {
      const token = tokens[i];
      v = v.kind == Kind.Array ? v.element(token) : v.get(token.includes("~") ? token.replaceAll("~1", "/").replaceAll("~0", "~") : token);
    }
    return v;
  }

  private element(index: string): Json | null {
    const n = index.length;
    let want = 0;
    if (n == 0 || n > 9 || (n > 1 && index.charCodeAt(0) == 0x30)) return null;
    for (let i = 0; i < n; i++) {
      const digit = <u32>index.charCodeAt(i) - 0x30;
      if (digit > 9) return null;
      want = want * 10 + digit;
    }
    const m = this.members();
    while (m.next()) {
      if (want-- == 0) return m.value();
    }
    return null;
  }

  /** The bytes of a string, without escapes; null if it is none. */
  bytes(): Uint8Array | null {
    if (this.kind != Kind.String) return null;
    const n = <i32>(this.end - this.ptr - 2);
    const out = new Uint8Array(n);
    const length = unescape(this.ptr + 1, this.end - 1, out.dataStart);
    return length == n ? out : out.subarray(0, length);
  }

  /** A string, or the fallback. */
  string(fallback: string): string {
    return this.kind == Kind.String ? text(this.bytes()) : fallback;
  }

  /** Says whether it is a number without fraction and exponent that fits 64 bits. */
  isInt(): bool {
    if (this.kind != Kind.Number) return false;
    let u: u64 = 0;
    let p = this.ptr;
    let most: u64 = i64.MAX_VALUE;
    if (load<u8>(p) == 0x2d) {
      p++;
      most++;
    }
    for (; p < this.end; p++) {
      const digit = <u64>load<u8>(p) - 0x30;
      if (digit > 9 || u > (most - digit) / 10) return false;
      u = u * 10 + digit;
    }
    return true;
  }

  /** A number without fraction and exponent that fits 64 bits, or the fallback. */
  int(fallback: i64): i64 {
    if (!this.isInt()) return fallback;
    const minus = load<u8>(this.ptr) == 0x2d;
    let n: i64 = 0;
    for (let p = this.ptr + (minus ? 1 : 0); p < this.end; p++) n = n * 10 + <i64>load<u8>(p) - 0x30;
    return minus ? -n : n;
  }

  /** A number, or the fallback. */
  float(fallback: f64): f64 {
    return this.kind == Kind.Number ? F64.parseFloat(this.raw()) : fallback;
  }

  bool(fallback: bool): bool {
    return this.kind == Kind.Bool ? load<u8>(this.ptr) == 0x74 : fallback;
  }
}

/** Walks over the members of an object or array: while (m.next()) use m.name() and m.value(). */
@final
export class Members {
  private namePtr: usize = 0;
  private nameEnd: usize = 0;
  private valueKind: i32 = 0;
  private valuePtr: usize = 0;
  private valueEnd: usize;

  constructor(private owner: ArrayBuffer, private kindOf: i32, ptr: usize, private end: usize) {
    this.valueEnd = ptr + 1;
  }

  next(): bool {
    if (this.kindOf != Kind.Object && this.kindOf != Kind.Array) return false;
    let p = space(this.valueEnd, this.end);
    if (load<u8>(p) == 0x2c) p = space(p + 1, this.end);
    const c = load<u8>(p);
    if (c == 0x7d || c == 0x5d) return false;
    if (this.kindOf == Kind.Object) {
      this.namePtr = p;
      p = this.nameEnd = skipString(p, this.end);
      p = space(space(p, this.end) + 1, this.end);
    }
    this.valuePtr = p;
    this.valueEnd = skip(p, this.end, DEPTH);
    this.valueKind = kind;
    return true;
  }

  /** The member's name, "" in an array. */
  name(): string {
    return this.kindOf == Kind.Object ? new Json(this.owner, Kind.String, this.namePtr, this.nameEnd).string("") : "";
  }

  rawName(): string {
    return String.UTF8.decodeUnsafe(this.namePtr, this.nameEnd - this.namePtr);
  }

  named(name: string): bool {
    const n = this.nameEnd - this.namePtr - 2;
    for (let i: usize = 0; i < n; i++) {
      if (load<u8>(this.namePtr + 1 + i) == 0x5c) return this.name() == name;
    }
    return is(this.namePtr + 1, n, name);
  }

  value(): Json {
    return new Json(this.owner, this.valueKind, this.valuePtr, this.valueEnd);
  }
}

/** What a JSON Pointer (RFC 6901) finds in a text; null if that is not JSON. */
export function jsonAt(doc: Uint8Array | null, pointer: string): Json | null {
  if (!doc) return null;
  const end = doc.dataStart + doc.byteLength;
  const p = space(doc.dataStart, end);
  const after = skip(p, end, DEPTH);
  if (!after || space(after, end) != end) return null;
  return new Json(doc.buffer, kind, p, after).at(pointer);
}

// ---- Configuration.

/** What configure gets. Lookups take a JSON Pointer into the config of the binding. What is absent or null is the
 *  fallback; the first value of a wrong type is remembered and refuses the configuration. */
@final
export class Config {
  refused: string | null = null;
  wrongs: string | null = null;
  private table: Json | null;

  constructor(private all: Json | null) {
    this.table = all ? all.get("config") : null;
  }

  private own(name: string): string {
    const all = this.all;
    const j = all ? all.get(name) : null;
    return j ? j.string("") : "";
  }

  topic(): string {
    return this.own("topic");
  }

  module(): string {
    return this.own("module");
  }

  /** The SHA-256 of the module as uploaded, in hex. */
  version(): string {
    return this.own("version");
  }

  /** The name of the gateway's machine. */
  host(): string {
    return this.own("host");
  }

  /** Refuses the configuration once the function returns; the first reason counts. */
  refuse(reason: string): void {
    if (this.refused === null) this.refused = reason;
  }

  /** What stands at a pointer, of any type but null. It may be kept. */
  at(pointer: string): Json | null {
    const table = this.table;
    const j = table ? table.at(pointer) : null;
    return j && j.kind == Kind.Null ? null : j;
  }

  has(pointer: string): bool {
    return this.at(pointer) !== null;
  }

  /** Refuses the value at a pointer, for a rule such as "must be between 0 and 100". */
  wrong(pointer: string, rule: string): void {
    const table = this.table;
    const j = table ? table.at(pointer) : null;
    this.remember("config " + pointer + (j ? ": " + shortened(j.raw()) : "") + " " + rule);
  }

  private remember(reason: string): void {
    if (this.wrongs === null) this.wrongs = reason;
  }

  private typed(pointer: string, want: i32, rule: string): Json | null {
    const j = this.at(pointer);
    if (!j || j.kind == want) return j;
    this.wrong(pointer, rule);
    return null;
  }

  string(pointer: string, fallback: string): string {
    const j = this.typed(pointer, Kind.String, "must be a string");
    return j ? j.string(fallback) : fallback;
  }

  int(pointer: string, fallback: i64): i64 {
    const j = this.at(pointer);
    if (j && !j.isInt()) this.wrong(pointer, "must be an integer of at most 64 bits");
    return j ? j.int(fallback) : fallback;
  }

  float(pointer: string, fallback: f64): f64 {
    const j = this.typed(pointer, Kind.Number, "must be a number");
    return j ? j.float(fallback) : fallback;
  }

  bool(pointer: string, fallback: bool): bool {
    const j = this.typed(pointer, Kind.Bool, "must be true or false");
    return j ? j.bool(fallback) : fallback;
  }

  /** A list of strings, empty if there is none. */
  strings(pointer: string): string[] {
    const list: string[] = [];
    const j = this.typed(pointer, Kind.Array, "must be a list of strings");
    if (!j) return list;
    const m = j.members();
    for (let i = 0; m.next(); i++) {
      if (m.value().kind == Kind.String) list.push(m.value().string(""));
      else this.wrong(pointer + "/" + i.toString(), "must be a string");
    }
    return list;
  }

  /** The names of an object's members, in the order of the text. */
  keys(pointer: string): string[] {
    const list: string[] = [];
    const j = this.typed(pointer, Kind.Object, "must be an object");
    if (!j) return list;
    const m = j.members();
    while (m.next()) list.push(m.name());
    return list;
  }

  /** Refuses every key of the config but these. */
  only(keys: string[]): void {
    const table = this.table;
    if (!table) return;
    const m = table.members();
    while (m.next()) {
      if (!keys.includes(m.name())) this.remember("config: unknown key " + shortened(m.rawName()) + ", known are " + keys.join(", "));
    }
  }
}

// shortened keeps values out of the log that would fill it.
function shortened(raw: string): string {
  return raw.length > 80 ? raw.substring(0, 80) + "..." : raw;
}

// ---- Hooks. A module exports those it has:
//
//     export function configure(p: usize, n: usize): i32 { return configureWith(p, n, f); }   f(c: Config): void
//     export function partition(b: usize, n: usize): i32 { return eachPartition(b, n, f); }   f(r: Record): i32
//     export function on_send(b: usize, n: usize): i32 { return eachRecord(b, n, f); }        f(r: Record): void
//     export function on_ack(b: usize, n: usize): i32 { return eachAck(b, n, f); }            f(a: Ack): void
//     export function close(): i32 { return 0; }

let since: u32 = 0; // records since the last collection

// begin starts a hook. Here nothing of the module runs, so with the runtime "minimal", which never collects by itself, here
// is where garbage goes; not in every call, because that visits all that lives.
function begin(input: usize): void {
  batch = input;
  chunk = 0;
  used = 0;
  headersOf = 0;
  if (since < 1024) return;
  since = 0;
  if (ASC_RUNTIME == 1) __collect(); // minimal; 0 is stub, 2 incremental
}

export function configureWith(p: usize, n: usize, f: (c: Config) => void): i32 {
  begin(0);
  const doc = new Uint8Array(<i32>n);
  memory.copy(doc.dataStart, p, n);
  const c = new Config(jsonAt(doc, ""));
  f(c);
  const refused = c.refused;
  const reason = refused === null ? c.wrongs : refused;
  if (reason === null) return 0;
  log(Level.Error, reason);
  return -1;
}

export function eachPartition(b: usize, n: usize, f: (r: Record) => i32): i32 {
  begin(b);
  const count = load<u32>(b, HDR_COUNT);
  let r = load<usize>(b, HDR_RECORDS);
  for (let i: u32 = 0; i < count; i++, r += RECORD_SIZE) {
    store<u32>(b, i, HDR_PROGRESS);
    store<i32>(r, f(changetype<Record>(r)), REC_PARTITION);
  }
  since += count;
  return 0;
}

export function eachRecord(b: usize, n: usize, f: (r: Record) => void): i32 {
  begin(b);
  const count = load<u32>(b, HDR_COUNT);
  let r = load<usize>(b, HDR_RECORDS);
  for (let i: u32 = 0; i < count; i++, r += RECORD_SIZE) {
    store<u32>(b, i, HDR_PROGRESS);
    f(changetype<Record>(r));
  }
  since += count;
  return 0;
}

export function eachAck(b: usize, n: usize, f: (a: Ack) => void): i32 {
  begin(b);
  const count = load<u32>(b, HDR_COUNT);
  let a = load<usize>(b, HDR_RECORDS);
  for (let i: u32 = 0; i < count; i++, a += ACK_SIZE) {
    store<u32>(b, i, HDR_PROGRESS);
    f(changetype<Ack>(a));
  }
  since += count;
  return 0;
}
