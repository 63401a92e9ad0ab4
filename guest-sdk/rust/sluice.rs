//! sluice.rs: everything a module for Sluice written in Rust needs. Put it beside your source, say `mod sluice;` in the
//! crate's root, and see README.md. Needs rustc 1.63 or later, edition 2021, target wasm32-unknown-unknown, nothing else.
//!
//! What a getter returns is valid during the call only. What is set is copied (unless it is a part of the input), so a
//! buffer may be used again at once.
#![allow(dead_code, unused_imports, unused_macros)]

use std::borrow::Cow;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::fmt::Display;
use std::marker::PhantomData;
use std::{ptr, slice, str};

#[cfg(not(all(target_arch = "wasm32", not(target_feature = "atomics"))))]
compile_error!("sluice.rs needs --target wasm32-unknown-unknown");

/// The layout of sluice_v1: guest-sdk/abi/layout.go is its home, and a test compares the two.
mod abi {
    pub const HEADER_SIZE: usize = 32;
    pub const HDR_MAGIC: usize = 0;
    pub const HDR_SIZE: usize = 4;
    pub const HDR_COUNT: usize = 8;
    pub const HDR_RECORDS: usize = 12;
    pub const HDR_TOPICS: usize = 16;
    pub const HDR_N_TOPICS: usize = 20;
    pub const HDR_FLAGS: usize = 24;
    pub const HDR_PROGRESS: usize = 28;
    pub const BATCH_MAGIC: u32 = 0x31424c53;
    pub const ACKS_MAGIC: u32 = 0x31414c53;
    pub const DRY_RUN: u32 = 1;

    pub const TOPIC_SIZE: usize = 16;
    pub const TOPIC_NAME: usize = 0;
    pub const TOPIC_NAME_LEN: usize = 4;
    pub const TOPIC_PARTITIONS: usize = 8;

    pub const RECORD_SIZE: usize = 64;
    pub const REC_KEY: usize = 0;
    pub const REC_KEY_LEN: usize = 4;
    pub const REC_VALUE: usize = 8;
    pub const REC_VALUE_LEN: usize = 12;
    pub const REC_HEADERS: usize = 16;
    pub const REC_HEADER_COUNT: usize = 20;
    pub const REC_TIMESTAMP: usize = 24;
    pub const REC_TOPIC: usize = 32;
    pub const REC_PARTITION: usize = 36;
    pub const REC_FLAGS: usize = 40;
    pub const REC_ROUTE_LEN: usize = 44;
    pub const REC_ROUTE: usize = 48;
    pub const REC_COOKIE: usize = 56;

    pub const FLAG_KEY: u32 = 1;
    pub const FLAG_VALUE: u32 = 2;
    pub const FLAG_HEADERS: u32 = 4;
    pub const FLAG_TIMESTAMP: u32 = 8;
    pub const FLAG_ROUTE: u32 = 16;
    pub const FLAG_DROP: u32 = 32;
    pub const ALL_FLAGS: u32 = 63;

    pub const KEY_VALUE_SIZE: usize = 16;
    pub const KV_KEY: usize = 0;
    pub const KV_KEY_LEN: usize = 4;
    pub const KV_VALUE: usize = 8;
    pub const KV_VALUE_LEN: usize = 12;

    pub const ACK_SIZE: usize = 64;
    pub const ACK_COOKIE: usize = 0;
    pub const ACK_TOPIC: usize = 8;
    pub const ACK_TOPIC_LEN: usize = 12;
    pub const ACK_PARTITION: usize = 16;
    pub const ACK_ERROR: usize = 20;
    pub const ACK_OFFSET: usize = 24;
    pub const ACK_TIMESTAMP: usize = 32;
    pub const ACK_MESSAGE: usize = 40;
    pub const ACK_MESSAGE_LEN: usize = 44;
    pub const ACK_KEY_SIZE: usize = 48;
    pub const ACK_VALUE_SIZE: usize = 52;

    pub const NULL: i32 = -1;
    pub const MAX_REASON: usize = 512;
    pub const MAX_LINE: usize = 1024;
}

/// What a partitioner returns to leave a record to the default partitioner.
pub const NOT_MINE: i32 = -1;

/// The levels of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    Trace = 0,
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

mod host {
    #[link(wasm_import_module = "sluice_v1")]
    extern "C" {
        pub fn log(level: i32, ptr: *const u8, len: usize);
        pub fn record_error(index: u32, ptr: *const u8, len: usize);
        pub fn counter_add(ptr: *const u8, len: usize, delta: i64);
        pub fn now_ms() -> i64;
    }
}

/// Writes a line to the module's log.
pub fn log(level: Level, text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    unsafe { host::log(level as i32, text.as_ptr(), text.len()) }
}

/// Adds to a metric of the module; its name matches `[a-z0-9_]{1,48}`.
pub fn counter_add(name: impl AsRef<[u8]>, delta: i64) {
    let name = name.as_ref();
    unsafe { host::counter_add(name.as_ptr(), name.len(), delta) }
}

/// Unix milliseconds, the same throughout one call.
pub fn now_ms() -> i64 {
    unsafe { host::now_ms() }
}

// ---- State. A module has one thread, so that statics need no locks.

/// What configure prepares for the other hooks: `static ROUTES: State<Routes> = State::new();`. For what changes later
/// put a Cell or RefCell into it.
pub struct State<T>(UnsafeCell<Option<T>>);

unsafe impl<T> Sync for State<T> {} // there is no second thread, see compile_error above

impl<T> State<T> {
    pub const fn new() -> Self {
        State(UnsafeCell::new(None))
    }

    /// Sets the value; panics if there is one already, because a hook may hold a reference to it.
    pub fn set(&self, value: T) {
        let slot = unsafe { &mut *self.0.get() };
        assert!(slot.is_none(), "State::set called twice");
        *slot = Some(value);
    }

    /// The value; panics if it was never set.
    pub fn get(&self) -> &T {
        unsafe { &*self.0.get() }.as_ref().expect("State::get before State::set")
    }
}

// ---- Memory.

struct Memory {
    input: Vec<u64>,       // where the host writes
    chunks: Vec<Vec<u64>>, // where copies of what was set stand until the next call
    chunk: usize,          // the one in use
    used: usize,           // bytes of it
}

struct Shared(UnsafeCell<Memory>);
unsafe impl Sync for Shared {}
static MEMORY: Shared = Shared(UnsafeCell::new(Memory { input: Vec::new(), chunks: Vec::new(), chunk: 0, used: 0 }));

/// No reference that this returns lives across a call of user code.
fn memory() -> &'static mut Memory {
    unsafe { &mut *MEMORY.0.get() }
}

impl Memory {
    /// n bytes, 8-aligned, that stay until the next call.
    fn room(&mut self, n: usize) -> *mut u8 {
        let n = (n + 7) & !7;
        while self.chunk < self.chunks.len() {
            let c = &mut self.chunks[self.chunk];
            if c.capacity() * 8 - self.used >= n {
                let p = unsafe { c.as_mut_ptr().cast::<u8>().add(self.used) };
                self.used += n;
                return p;
            }
            self.chunk += 1;
            self.used = 0;
        }
        let last = self.chunks.last().map_or(512, Vec::capacity); // words
        self.chunks.push(Vec::with_capacity((2 * last).min(1 << 17).max(n / 8)));
        self.used = n;
        self.chunks[self.chunk].as_mut_ptr().cast()
    }

    /// Where b stands until the next call: where it is, if that is the input, or a copy.
    fn place(&mut self, b: &[u8]) -> *const u8 {
        let from = self.input.as_ptr() as usize;
        let at = b.as_ptr() as usize;
        if at >= from && at + b.len() <= from + self.input.capacity() * 8 {
            return b.as_ptr();
        }
        let p = self.room(b.len().max(1));
        unsafe { ptr::copy_nonoverlapping(b.as_ptr(), p, b.len()) };
        p
    }
}

#[export_name = "sluice_abi_v1"]
pub extern "C" fn sluice_export_abi_v1() {}

#[export_name = "sluice_alloc"]
pub extern "C" fn sluice_export_alloc(size: usize) -> *mut u8 {
    let m = memory();
    let words = size / 8 + 1;
    if words > m.input.capacity() {
        m.input = Vec::new(); // given back first, so that it can be a part of the next one
        let wanted = words.checked_mul(2).unwrap_or(words).max(8192);
        if m.input.try_reserve_exact(wanted).is_err() && m.input.try_reserve_exact(words).is_err() {
            return ptr::null_mut();
        }
    }
    m.input.as_mut_ptr().cast()
}

/// Panics say what and where in the module's log before they trap.
#[export_name = "_initialize"]
pub extern "C" fn sluice_export_initialize() {
    std::panic::set_hook(Box::new(|info| log(Level::Error, info.to_string())));
}

unsafe fn get32(p: *const u8, at: usize) -> u32 {
    p.add(at).cast::<u32>().read_unaligned()
}

unsafe fn get64(p: *const u8, at: usize) -> u64 {
    p.add(at).cast::<u64>().read_unaligned()
}

unsafe fn set32(p: *mut u8, at: usize, v: u32) {
    p.add(at).cast::<u32>().write_unaligned(v)
}

unsafe fn set64(p: *mut u8, at: usize, v: u64) {
    p.add(at).cast::<u64>().write_unaligned(v)
}

/// The bytes whose address and length stand at `at`; None = null.
unsafe fn bytes<'a>(p: *const u8, at: usize) -> Option<&'a [u8]> {
    match get32(p, at + 4) {
        n if n == abi::NULL as u32 => None,
        0 => Some(&[]),
        n => Some(slice::from_raw_parts(get32(p, at) as usize as *const u8, n as usize)),
    }
}

/// Copies b and writes its address and length; None = null.
unsafe fn set_bytes(p: *mut u8, at: usize, b: Option<&[u8]>) {
    set32(p, at, b.map_or(0, |b| memory().place(b) as u32));
    set32(p, at + 4, b.map_or(abi::NULL as u32, |b| b.len() as u32));
}

fn utf8(b: &[u8]) -> &str {
    str::from_utf8(b).unwrap_or("")
}

// ---- Records.

/// One record on its way to Kafka, in linear memory.
pub struct Record<'a> {
    at: *mut u8,
    batch: *const u8,
    index: u32,
    headers_room: u32, // how many headers our own list has room for, 0 = it is the host's
    input: PhantomData<&'a [u8]>,
}

/// One header of a record; a value of None is null.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    pub name: &'a [u8],
    pub value: Option<&'a [u8]>,
}

impl<'a> Record<'a> {
    /// None = null.
    #[inline]
    pub fn key(&self) -> Option<&'a [u8]> {
        unsafe { bytes(self.at, abi::REC_KEY) }
    }

    /// None = null.
    #[inline]
    pub fn value(&self) -> Option<&'a [u8]> {
        unsafe { bytes(self.at, abi::REC_VALUE) }
    }

    /// Unix milliseconds, -1 = when it is sent.
    pub fn timestamp(&self) -> i64 {
        unsafe { get64(self.at, abi::REC_TIMESTAMP) as i64 }
    }

    #[inline]
    fn topic_at(&self) -> *const u8 {
        unsafe { (get32(self.batch, abi::HDR_TOPICS) as usize as *const u8).add(get32(self.at, abi::REC_TOPIC) as usize * abi::TOPIC_SIZE) }
    }

    /// The name of the topic that the record came in for.
    pub fn topic(&self) -> &'a str {
        utf8(unsafe { bytes(self.topic_at(), abi::TOPIC_NAME) }.unwrap_or_default())
    }

    /// How many partitions that topic has, 0 when that is not known (in on_send).
    #[inline]
    pub fn partitions(&self) -> i32 {
        unsafe { get32(self.topic_at(), abi::TOPIC_PARTITIONS) as i32 }
    }

    /// The partition the record came with, -1 = none.
    pub fn partition(&self) -> i32 {
        unsafe { get32(self.at, abi::REC_PARTITION) as i32 }
    }

    /// Where the record stands in the batch.
    pub fn index(&self) -> usize {
        self.index as usize
    }

    /// Says whether nothing of what the module does is used.
    pub fn dry_run(&self) -> bool {
        unsafe { get32(self.batch, abi::HDR_FLAGS) & abi::DRY_RUN != 0 }
    }

    /// 64 bits of the module's own, at first 0.
    pub fn cookie(&self) -> u64 {
        unsafe { get64(self.at, abi::REC_COOKIE) }
    }

    /// Sets what on_ack gets back, maybe in another instance.
    pub fn set_cookie(&mut self, cookie: u64) {
        unsafe { set64(self.at, abi::REC_COOKIE, cookie) }
    }

    fn set(&mut self, at: usize, b: Option<&[u8]>, flag: u32) {
        unsafe { set_bytes(self.at, at, b) }
        self.flag(flag)
    }

    fn flag(&mut self, flag: u32) {
        unsafe { set32(self.at, abi::REC_FLAGS, get32(self.at, abi::REC_FLAGS) | flag) }
    }

    pub fn set_key(&mut self, key: impl AsRef<[u8]>) {
        self.set(abi::REC_KEY, Some(key.as_ref()), abi::FLAG_KEY)
    }

    pub fn set_null_key(&mut self) {
        self.set(abi::REC_KEY, None, abi::FLAG_KEY)
    }

    pub fn set_value(&mut self, value: impl AsRef<[u8]>) {
        self.set(abi::REC_VALUE, Some(value.as_ref()), abi::FLAG_VALUE)
    }

    pub fn set_null_value(&mut self) {
        self.set(abi::REC_VALUE, None, abi::FLAG_VALUE)
    }

    /// Unix milliseconds, -1 = when it is sent.
    pub fn set_timestamp(&mut self, ms: i64) {
        unsafe { set64(self.at, abi::REC_TIMESTAMP, ms as u64) }
        self.flag(abi::FLAG_TIMESTAMP)
    }

    /// Sends the record to another topic, which the binding must allow.
    pub fn route(&mut self, topic: impl AsRef<[u8]>) {
        let topic = topic.as_ref();
        unsafe {
            set32(self.at, abi::REC_ROUTE, memory().place(topic) as u32);
            set32(self.at, abi::REC_ROUTE_LEN, topic.len() as u32);
        }
        self.flag(abi::FLAG_ROUTE)
    }

    /// Lets the record end here. Its sender is told.
    pub fn drop(&mut self) {
        self.flag(abi::FLAG_DROP)
    }

    /// Marks the record failed; what else was done to it is not used. The same as to return Err.
    pub fn fail(&mut self, reason: impl AsRef<[u8]>) {
        let reason = reason.as_ref();
        unsafe { host::record_error(self.index, reason.as_ptr(), reason.len()) }
    }

    fn header_count(&self) -> usize {
        unsafe { get32(self.at, abi::REC_HEADER_COUNT) as usize }
    }

    fn header_at(&self, i: usize) -> *mut u8 {
        unsafe { (get32(self.at, abi::REC_HEADERS) as usize as *mut u8).wrapping_add(i * abi::KEY_VALUE_SIZE) }
    }

    fn header_view(&self, i: usize) -> Header<'a> {
        let kv = self.header_at(i);
        unsafe { Header { name: bytes(kv, abi::KV_KEY).unwrap_or_default(), value: bytes(kv, abi::KV_VALUE) } }
    }

    /// All headers, in their order.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = Header<'a>> + ExactSizeIterator + '_ {
        (0..self.header_count()).map(move |i| self.header_view(i))
    }

    /// The value of the last header of a name: None = there is none, Some(None) = null.
    pub fn header(&self, name: impl AsRef<[u8]>) -> Option<Option<&'a [u8]>> {
        self.headers().rev().find(|h| h.name == name.as_ref()).map(|h| h.value)
    }

    /// Makes the list of headers ours, with room for more of them: the host's may be full.
    fn own_headers(&mut self, more: usize) {
        let n = self.header_count();
        if n + more > self.headers_room as usize {
            let room = n + more + n / 2 + 3;
            let list = memory().room(room * abi::KEY_VALUE_SIZE);
            unsafe {
                ptr::copy_nonoverlapping(self.header_at(0), list, n * abi::KEY_VALUE_SIZE);
                set32(self.at, abi::REC_HEADERS, list as u32);
            }
            self.headers_room = room as u32;
        }
        self.flag(abi::FLAG_HEADERS)
    }

    fn push_header(&mut self, name: &[u8], value: Option<&[u8]>) {
        let n = self.header_count();
        self.own_headers(1);
        unsafe {
            set_bytes(self.header_at(n), abi::KV_KEY, Some(name));
            set_bytes(self.header_at(n), abi::KV_VALUE, value);
            set32(self.at, abi::REC_HEADER_COUNT, n as u32 + 1);
        }
    }

    /// Takes all headers of the name away and adds one at the end.
    pub fn set_header(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove_header(name.as_ref());
        self.push_header(name.as_ref(), Some(value.as_ref()))
    }

    /// The same with a null value.
    pub fn set_null_header(&mut self, name: impl AsRef<[u8]>) {
        self.remove_header(name.as_ref());
        self.push_header(name.as_ref(), None)
    }

    /// Adds a header at the end; those of the same name stay.
    pub fn add_header(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.push_header(name.as_ref(), Some(value.as_ref()))
    }

    /// Takes all headers of a name away.
    pub fn remove_header(&mut self, name: impl AsRef<[u8]>) {
        if self.header(name.as_ref()).is_none() {
            return;
        }
        self.own_headers(0);
        let mut kept = 0;
        for i in 0..self.header_count() {
            if self.header_view(i).name != name.as_ref() {
                unsafe { ptr::copy(self.header_at(i), self.header_at(kept), abi::KEY_VALUE_SIZE) }
                kept += 1;
            }
        }
        unsafe { set32(self.at, abi::REC_HEADER_COUNT, kept as u32) }
    }
}

/// What became of a record that was sent.
pub struct Ack<'a> {
    at: *const u8,
    input: PhantomData<&'a [u8]>,
}

impl<'a> Ack<'a> {
    pub fn cookie(&self) -> u64 {
        unsafe { get64(self.at, abi::ACK_COOKIE) }
    }

    pub fn topic(&self) -> &'a str {
        utf8(unsafe { bytes(self.at, abi::ACK_TOPIC) }.unwrap_or_default())
    }

    /// -1 = never chosen.
    pub fn partition(&self) -> i32 {
        unsafe { get32(self.at, abi::ACK_PARTITION) as i32 }
    }

    /// Kafka's error code: 0 = stored, -1 = an error that Kafka has no code for.
    pub fn error(&self) -> i32 {
        unsafe { get32(self.at, abi::ACK_ERROR) as i32 }
    }

    /// -1 = not stored or not known.
    pub fn offset(&self) -> i64 {
        unsafe { get64(self.at, abi::ACK_OFFSET) as i64 }
    }

    /// Unix milliseconds, -1 = not stored.
    pub fn timestamp(&self) -> i64 {
        unsafe { get64(self.at, abi::ACK_TIMESTAMP) as i64 }
    }

    /// What went wrong.
    pub fn message(&self) -> &'a str {
        utf8(unsafe { bytes(self.at, abi::ACK_MESSAGE) }.unwrap_or_default())
    }

    /// -1 = null.
    pub fn key_size(&self) -> i32 {
        unsafe { get32(self.at, abi::ACK_KEY_SIZE) as i32 }
    }

    /// -1 = null.
    pub fn value_size(&self) -> i32 {
        unsafe { get32(self.at, abi::ACK_VALUE_SIZE) as i32 }
    }
}

// ---- Kafka's hash.

/// The hash Kafka's default partitioner takes of a key.
#[inline]
pub fn murmur2(b: impl AsRef<[u8]>) -> i32 {
    const M: u32 = 0x5bd1e995;
    let b = b.as_ref();
    let mut h = 0x9747b28c ^ b.len() as u32;
    let words = b.chunks_exact(4);
    let tail = words.remainder();
    for w in words {
        let k = u32::from_le_bytes([w[0], w[1], w[2], w[3]]).wrapping_mul(M);
        h = h.wrapping_mul(M) ^ (k ^ k >> 24).wrapping_mul(M);
    }
    for (i, c) in tail.iter().enumerate() {
        h ^= u32::from(*c) << (8 * i);
    }
    if !tail.is_empty() {
        h = h.wrapping_mul(M);
    }
    h = (h ^ h >> 13).wrapping_mul(M);
    (h ^ h >> 15) as i32
}

/// The partition Kafka's default partitioner gives a key; NOT_MINE if partitions <= 0.
#[inline]
pub fn key_partition(key: impl AsRef<[u8]>, partitions: i32) -> i32 {
    if partitions <= 0 {
        return NOT_MINE;
    }
    ((murmur2(key) as u32 & 0x7fffffff) % partitions as u32) as i32
}

// ---- JSON, read where it stands.

/// How deep a text may be nested; what is deeper is taken for no JSON.
pub const JSON_DEPTH: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Object,
    Array,
}

/// A JSON value where it stands in its text.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    text: &'a [u8],
    kind: Kind,
}

/// What a JSON Pointer (RFC 6901) finds in a text; None if that is not JSON.
pub fn json_at<'a>(text: &'a [u8], pointer: &str) -> Option<Json<'a>> {
    Json::parse(text)?.at(pointer)
}

fn space(t: &[u8], at: usize) -> usize {
    at + t[at..].iter().take_while(|c| matches!(c, b' ' | b'\n' | b'\r' | b'\t')).count()
}

fn digits(t: &[u8], at: usize) -> Option<usize> {
    let n = t[at..].iter().take_while(|c| c.is_ascii_digit()).count();
    (n > 0).then(|| at + n)
}

fn end_of_string(t: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match t.get(at)? {
            b'"' => return Some(at + 1),
            0..=31 => return None,
            b'\\' => match t.get(at + 1)? {
                b'u' if t.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            _ => at += 1,
        }
    }
}

fn end_of_number(t: &[u8], at: usize) -> Option<usize> {
    let mut at = at + usize::from(t[at] == b'-');
    at = if t.get(at) == Some(&b'0') { at + 1 } else { digits(t, at)? };
    if t.get(at) == Some(&b'.') {
        at = digits(t, at + 1)?;
    }
    if matches!(t.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(t.get(at), Some(b'+' | b'-')));
        at = digits(t, at)?;
    }
    Some(at)
}

fn end_of_members(t: &[u8], at: usize, depth: usize) -> Option<usize> {
    let close = t[at] + 2; // of [ ] and of { }
    let mut at = space(t, at + 1);
    if t.get(at) == Some(&close) {
        return Some(at + 1);
    }
    loop {
        if close == b'}' {
            if t.get(at) != Some(&b'"') {
                return None;
            }
            at = space(t, end_of_string(t, at)?);
            if t.get(at) != Some(&b':') {
                return None;
            }
            at = space(t, at + 1);
        }
        at = space(t, end_of_value(t, at, depth - 1)?.0);
        match t.get(at)? {
            b',' => at = space(t, at + 1),
            c if *c == close => return Some(at + 1),
            _ => return None,
        }
    }
}

fn end_of_value(t: &[u8], at: usize, depth: usize) -> Option<(usize, Kind)> {
    if depth == 0 {
        return None;
    }
    let word = |w: &[u8], kind| t[at..].starts_with(w).then(|| (at + w.len(), kind));
    match t.get(at)? {
        b'{' => end_of_members(t, at, depth).map(|end| (end, Kind::Object)),
        b'[' => end_of_members(t, at, depth).map(|end| (end, Kind::Array)),
        b'"' => end_of_string(t, at).map(|end| (end, Kind::String)),
        b't' => word(b"true", Kind::Bool),
        b'f' => word(b"false", Kind::Bool),
        b'n' => word(b"null", Kind::Null),
        _ => end_of_number(t, at).map(|end| (end, Kind::Number)),
    }
}

fn hex4(t: &[u8]) -> u32 {
    t[..4].iter().fold(0, |n, c| n << 4 | (*c as char).to_digit(16).unwrap_or(0))
}

/// Decodes what stands at `at` inside of a string into out and returns what is behind it.
fn unescape(t: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    if t[at] != b'\\' {
        out.push(t[at]);
        return at + 1;
    }
    if t[at + 1] != b'u' {
        out.push(match t[at + 1] {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            c => c,
        });
        return at + 2;
    }
    let (mut c, mut at) = (hex4(&t[at + 2..]), at + 6);
    if (0xd800..0xdc00).contains(&c) && t[at..].starts_with(b"\\u") {
        let low = hex4(&t[at + 2..]);
        if (0xdc00..0xe000).contains(&low) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    let c = char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    at
}

impl<'a> Json<'a> {
    /// Checks a whole text; None if it is not JSON.
    pub fn parse(text: &'a [u8]) -> Option<Json<'a>> {
        let at = space(text, 0);
        let (end, kind) = end_of_value(text, at, JSON_DEPTH)?;
        (space(text, end) == text.len()).then(|| Json { text: &text[at..end], kind })
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The text it was read from.
    pub fn raw(&self) -> &'a [u8] {
        self.text
    }

    /// The members of an object, or of an array, whose names are null; nothing of other values.
    pub fn members(&self) -> Members<'a> {
        Members { of: *self, at: 1 }
    }

    /// The last member of an object with this name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<Json<'a>> {
        if self.kind != Kind::Object {
            return None;
        }
        self.members().filter(|(n, _)| n.bytes().as_deref() == Some(name.as_ref())).last().map(|(_, v)| v)
    }

    /// What a JSON Pointer (RFC 6901) finds.
    pub fn at(&self, pointer: &str) -> Option<Json<'a>> {
        if pointer.is_empty() {
            return Some(*self);
        }
        let mut v = *self;
        for token in pointer.strip_prefix('/')?.split('/') {
            v = match v.kind {
                Kind::Array if token == "0" || !token.starts_with(['0', '+']) => v.members().nth(token.parse().ok()?)?.1,
                Kind::Object if token.contains('~') => v.get(token.replace("~1", "/").replace("~0", "~"))?,
                Kind::Object => v.get(token)?,
                _ => return None,
            };
        }
        Some(v)
    }

    /// The bytes of a string, without escapes.
    pub fn bytes(&self) -> Option<Cow<'a, [u8]>> {
        if self.kind != Kind::String {
            return None;
        }
        let t = &self.text[1..self.text.len() - 1];
        if !t.contains(&b'\\') {
            return Some(Cow::Borrowed(t));
        }
        let (mut out, mut at) = (Vec::with_capacity(t.len()), 0);
        while at < t.len() {
            at = unescape(t, at, &mut out);
        }
        Some(Cow::Owned(out))
    }

    /// A string; what is not UTF-8 in it becomes U+FFFD.
    pub fn string(&self) -> Option<String> {
        self.bytes().map(|b| String::from_utf8_lossy(&b).into_owned())
    }

    /// A number without fraction and exponent that fits.
    pub fn int(&self) -> Option<i64> {
        if self.kind != Kind::Number {
            return None;
        }
        utf8(self.text).parse().ok()
    }

    /// Any number.
    pub fn float(&self) -> Option<f64> {
        if self.kind != Kind::Number {
            return None;
        }
        utf8(self.text).parse().ok()
    }

    pub fn bool(&self) -> Option<bool> {
        (self.kind == Kind::Bool).then(|| self.text[0] == b't')
    }
}

/// Walks over the members of an object or array.
pub struct Members<'a> {
    of: Json<'a>,
    at: usize,
}

impl<'a> Members<'a> {
    fn value(&mut self) -> Option<Json<'a>> {
        let (end, kind) = end_of_value(self.of.text, self.at, JSON_DEPTH)?;
        let v = Json { text: &self.of.text[self.at..end], kind };
        self.at = end;
        Some(v)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Json<'a>, Json<'a>); // name and value

    fn next(&mut self) -> Option<Self::Item> {
        let t = self.of.text;
        if !matches!(self.of.kind, Kind::Object | Kind::Array) {
            return None;
        }
        self.at = space(t, self.at);
        if t[self.at] == b',' {
            self.at = space(t, self.at + 1);
        }
        let mut name = Json { text: b"null", kind: Kind::Null };
        if self.of.kind == Kind::Object && t[self.at] == b'"' {
            name = self.value()?;
            self.at = space(t, space(t, self.at) + 1);
        }
        if matches!(t[self.at], b'}' | b']') {
            return None;
        }
        Some((name, self.value()?))
    }
}

// ---- Configuration.

/// What configure gets: what the module is bound to, and the config of the binding. Lookups take a JSON Pointer. What is
/// absent or null is the fallback; the first value of a wrong type is remembered and refuses the configuration.
pub struct Config {
    all: Option<Json<'static>>,
    config: Option<Json<'static>>,
    wrong: RefCell<Option<String>>,
}

fn shortened(j: Json) -> String {
    let dots = if j.text.len() > 80 { "..." } else { "" };
    String::from_utf8_lossy(&j.text[..j.text.len().min(80)]).into_owned() + dots
}

impl Config {
    fn own(&self, name: &str) -> String {
        self.all.and_then(|all| all.get(name)?.string()).unwrap_or_default()
    }

    pub fn topic(&self) -> String {
        self.own("topic")
    }

    pub fn module(&self) -> String {
        self.own("module")
    }

    /// The SHA-256 of the module as uploaded, in hex.
    pub fn version(&self) -> String {
        self.own("version")
    }

    /// The name of the gateway's machine.
    pub fn host(&self) -> String {
        self.own("host")
    }

    /// What stands at a pointer, of any type but null. It may be kept.
    pub fn at(&self, pointer: &str) -> Option<Json<'static>> {
        self.config?.at(pointer).filter(|j| j.kind != Kind::Null)
    }

    pub fn has(&self, pointer: &str) -> bool {
        self.at(pointer).is_some()
    }

    /// Refuses the value at a pointer, for a rule such as "must be between 0 and 100".
    pub fn wrong(&self, pointer: &str, rule: &str) {
        let value = self.config.and_then(|c| c.at(pointer)).map_or(String::new(), |j| ": ".to_string() + &shortened(j));
        self.remember(["config ", pointer, &value, " ", rule].concat())
    }

    fn remember(&self, reason: String) {
        self.wrong.borrow_mut().get_or_insert(reason);
    }

    fn typed<T>(&self, pointer: &str, fallback: T, rule: &str, read: impl Fn(Json<'static>) -> Option<T>) -> T {
        match self.at(pointer).map(read) {
            Some(None) => self.wrong(pointer, rule),
            Some(Some(v)) => return v,
            None => {}
        }
        fallback
    }

    pub fn string(&self, pointer: &str, fallback: &str) -> String {
        self.typed(pointer, fallback.to_string(), "must be a string", |j| j.string())
    }

    pub fn int(&self, pointer: &str, fallback: i64) -> i64 {
        self.typed(pointer, fallback, "must be an integer of at most 64 bits", |j| j.int())
    }

    pub fn float(&self, pointer: &str, fallback: f64) -> f64 {
        self.typed(pointer, fallback, "must be a number", |j| j.float())
    }

    pub fn bool(&self, pointer: &str, fallback: bool) -> bool {
        self.typed(pointer, fallback, "must be true or false", |j| j.bool())
    }

    /// A list of strings, empty if there is none.
    pub fn strings(&self, pointer: &str) -> Vec<String> {
        let list = self.typed(pointer, None, "must be a list of strings", |j| (j.kind == Kind::Array).then_some(Some(j)));
        let mut out = Vec::new();
        for (i, (_, v)) in list.iter().flat_map(Json::members).enumerate() {
            match v.string() {
                Some(s) => out.push(s),
                None => self.wrong(&[pointer, "/", &i.to_string()].concat(), "must be a string"),
            }
        }
        out
    }

    /// The names of an object's members, in the order of the text.
    pub fn keys(&self, pointer: &str) -> Vec<String> {
        let object = self.typed(pointer, None, "must be an object", |j| (j.kind == Kind::Object).then_some(Some(j)));
        object.iter().flat_map(Json::members).filter_map(|(name, _)| name.string()).collect()
    }

    /// Refuses every key of the config but these.
    pub fn only(&self, keys: &[&str]) {
        for (name, _) in self.config.iter().flat_map(Json::members) {
            let unknown = name.string().unwrap_or_default();
            if !keys.contains(&unknown.as_str()) {
                return self.remember(["config: unknown key ", &shortened(name), ", known are ", &keys.join(", ")].concat());
            }
        }
    }
}

// ---- Hooks. A module has what it names in the root of its crate, once each:
//
//	sluice::configure!(f)   fn f(c: &Config) -> Result<(), E>, or -> ()     E: Display, such as String, &str, Box<dyn Error>
//	sluice::partition!(f)   fn f(r: &mut Record) -> i32, or -> Result<i32, E>   a partition, or NOT_MINE
//	sluice::on_send!(f)     fn f(r: &mut Record) -> Result<(), E>, or -> ()
//	sluice::on_ack!(f)      fn f(a: &Ack)
//	sluice::close!(f)       fn f()

/// What a hook may return: T, or an error.
pub trait Outcome<T> {
    fn outcome(self) -> Result<T, String>;
}

impl Outcome<()> for () {
    #[inline]
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl Outcome<i32> for i32 {
    #[inline]
    fn outcome(self) -> Result<i32, String> {
        Ok(self)
    }
}

impl<T, E: Display> Outcome<T> for Result<T, E> {
    fn outcome(self) -> Result<T, String> {
        self.map_err(|e| e.to_string())
    }
}

/// Calls f with the address of each item of a batch. Only hooks call it, with what the host gave them.
#[inline]
fn each(batch: *mut u8, size: usize, mut f: impl FnMut(*mut u8, u32)) {
    let m = memory();
    m.chunk = 0;
    m.used = 0;
    unsafe {
        let (count, items) = (get32(batch, abi::HDR_COUNT), get32(batch, abi::HDR_RECORDS) as usize as *mut u8);
        for i in 0..count {
            set32(batch, abi::HDR_PROGRESS, i);
            f(items.add(i as usize * size), i);
        }
    }
}

#[doc(hidden)]
#[inline]
pub fn run_partition<O: Outcome<i32>>(batch: *mut u8, f: impl Fn(&mut Record) -> O) -> i32 {
    each(batch, abi::RECORD_SIZE, |at, index| {
        let mut r = Record { at, batch, index, headers_room: 0, input: PhantomData };
        match f(&mut r).outcome() {
            Ok(p) => unsafe { set32(at, abi::REC_PARTITION, p as u32) },
            Err(reason) => r.fail(reason),
        }
    });
    0
}

#[doc(hidden)]
#[inline]
pub fn run_on_send<O: Outcome<()>>(batch: *mut u8, f: impl Fn(&mut Record) -> O) -> i32 {
    each(batch, abi::RECORD_SIZE, |at, index| {
        let mut r = Record { at, batch, index, headers_room: 0, input: PhantomData };
        if let Err(reason) = f(&mut r).outcome() {
            r.fail(reason);
        }
    });
    0
}

#[doc(hidden)]
pub fn run_on_ack(acks: *mut u8, f: impl Fn(&Ack)) -> i32 {
    each(acks, abi::ACK_SIZE, |at, _| f(&Ack { at, input: PhantomData }));
    0
}

#[doc(hidden)]
pub fn run_configure<O: Outcome<()>>(json: *const u8, len: usize, f: impl Fn(&Config) -> O) -> i32 {
    let text: &'static [u8] = Box::leak(unsafe { slice::from_raw_parts(json, len) }.into());
    let all = Json::parse(text);
    let c = Config { all, config: all.and_then(|all| all.get("config")), wrong: RefCell::new(None) };
    let reason = f(&c).outcome().err().or_else(|| c.wrong.take());
    match reason {
        Some(reason) => {
            log(Level::Error, reason);
            -1
        }
        None => 0,
    }
}

macro_rules! sluice_partition {
    ($f:expr) => {
        #[export_name = "partition"]
        pub extern "C" fn sluice_export_partition(batch: *mut u8, _len: usize) -> i32 {
            $crate::sluice::run_partition(batch, $f)
        }
    };
}

macro_rules! sluice_on_send {
    ($f:expr) => {
        #[export_name = "on_send"]
        pub extern "C" fn sluice_export_on_send(batch: *mut u8, _len: usize) -> i32 {
            $crate::sluice::run_on_send(batch, $f)
        }
    };
}

macro_rules! sluice_on_ack {
    ($f:expr) => {
        #[export_name = "on_ack"]
        pub extern "C" fn sluice_export_on_ack(acks: *mut u8, _len: usize) -> i32 {
            $crate::sluice::run_on_ack(acks, $f)
        }
    };
}

macro_rules! sluice_configure {
    ($f:expr) => {
        #[export_name = "configure"]
        pub extern "C" fn sluice_export_configure(json: *const u8, len: usize) -> i32 {
            $crate::sluice::run_configure(json, len, $f)
        }
    };
}

macro_rules! sluice_close {
    ($f:expr) => {
        #[export_name = "close"]
        pub extern "C" fn sluice_export_close() -> i32 {
            $f();
            0
        }
    };
}

pub(crate) use {
    sluice_close as close, sluice_configure as configure, sluice_on_ack as on_ack, sluice_on_send as on_send, sluice_partition as partition,
};
