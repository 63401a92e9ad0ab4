//! The conformance guest in Rust: guest-sdk/CONFORMANCE.md says what it does.
#[path = "../sluice.rs"]
mod sluice;
use sluice::{Ack, Config, Json, Kind, Level, Record, NOT_MINE};
use std::fmt::{Display, Formatter};

const LEVELS: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

/// Bytes as `<q>`.
struct Quoted<'a>(Option<&'a [u8]>);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter) -> std::fmt::Result {
        let bytes = match self.0 {
            None => return f.write_str("null"),
            Some(bytes) => bytes,
        };
        f.write_str("\"")?;
        for c in bytes {
            match c {
                b'"' | b'\\' => write!(f, "\\x{c:02x}")?,
                0x20..=0x7e => write!(f, "{}", *c as char)?,
                _ => write!(f, "\\x{c:02x}")?,
            }
        }
        f.write_str("\"")
    }
}

fn quoted(s: &str) -> Quoted<'_> {
    Quoted(Some(s.as_bytes()))
}

fn echo(r: &Record) -> String {
    let headers: Vec<String> = r.headers().map(|h| format!("{}={}", Quoted(Some(h.name)), Quoted(h.value))).collect();
    let (topic, partitions, partition) = (quoted(r.topic()), r.partitions(), r.partition());
    let (index, timestamp, cookie) = (r.index(), r.timestamp(), r.cookie());
    let (key, value, headers) = (Quoted(r.key()), Quoted(r.value()), headers.join(","));
    format!(
        "index={index} topic={topic} partitions={partitions} partition={partition} timestamp={timestamp} \
         cookie={cookie} key={key} value={value} headers=[{headers}]"
    )
}

fn json(j: Option<Json>) -> String {
    let j = match j {
        None => return "missing".into(),
        Some(j) => j,
    };
    match (j.kind(), j.int()) {
        (Kind::Null, _) => "null".into(),
        (Kind::Bool, _) => j.bool().unwrap_or_default().to_string(),
        (Kind::String, _) => format!("string:{}", Quoted(j.bytes().as_deref())),
        (Kind::Object, _) => format!("object:{}", j.members().count()),
        (Kind::Array, _) => format!("array:{}", j.members().count()),
        (Kind::Number, Some(n)) => format!("int:{n}"),
        (Kind::Number, None) => format!("float:{}", (j.float().unwrap_or_default() * 1000.0) as i64),
    }
}

/// What a header named "do" says.
struct Instruction<'a> {
    all: &'a [u8],
    verb: &'a [u8],
    arg: Option<&'a [u8]>,
}

/// What stands before and behind the first c.
fn split(b: &[u8], c: u8) -> (&[u8], Option<&[u8]>) {
    match b.iter().position(|x| *x == c) {
        Some(i) => (&b[..i], Some(&b[i + 1..])),
        None => (b, None),
    }
}

fn instructions<'a>(r: &Record<'a>) -> Vec<Instruction<'a>> {
    let of = |all: &'a [u8]| {
        let (verb, arg) = split(all, b':');
        Instruction { all, verb, arg }
    };
    r.headers().filter(|h| h.name == b"do").map(|h| of(h.value.unwrap_or_default())).collect()
}

fn number<N: std::str::FromStr>(b: &[u8]) -> Option<N> {
    let s = std::str::from_utf8(b).ok()?;
    (!s.starts_with('+')).then(|| s.parse().ok())?
}

/// How an instruction went; None is one that is not known here.
type Done = Option<Result<(), String>>;

const OK: Done = Some(Ok(()));

/// What both hooks know.
fn anywhere(i: &Instruction) -> Done {
    match i.verb {
        b"trap" => panic!("trap"),
        b"loop" => loop {},
        _ => {}
    }
    let arg = i.arg?;
    let (name, rest) = split(arg, b':');
    match i.verb {
        b"fail" => return Some(Err(String::from_utf8_lossy(arg).into_owned())),
        b"log" if name.len() == 1 => sluice::log(*LEVELS.get(number::<usize>(name)?)?, rest?),
        b"count" => sluice::counter_add(name, number(rest?)?),
        _ => return None,
    }
    OK
}

fn plain(r: &mut Record, i: &Instruction) -> Done {
    match i.verb {
        b"noop" | b"mod" | b"partition" => {}
        b"null-key" => r.set_null_key(),
        b"null-value" => r.set_null_value(),
        b"drop" => r.drop(),
        b"now" => r.set_value(sluice::now_ms().to_string()),
        b"echo" => r.set_value(echo(r)),
        _ => return None,
    }
    OK
}

fn grow(r: &mut Record, n: usize) {
    let mut room = vec![0u8; n];
    room.iter_mut().step_by(4096).for_each(|b| *b = 1);
    let sum: u64 = room.iter().step_by(4096).map(|b| u64::from(*b)).sum();
    r.set_value(sum.to_string());
    GROWN.with(|g| *g.borrow_mut() = room);
}

thread_local!(static GROWN: std::cell::RefCell<Vec<u8>> = Default::default());

fn with_argument(r: &mut Record, i: &Instruction) -> Done {
    let arg = i.arg?;
    let (name, value) = split(arg, b'=');
    match i.verb {
        b"set-key" => r.set_key(arg),
        b"set-value" => r.set_value(arg),
        b"route" => r.route(arg),
        b"json" => {
            let pointer = std::str::from_utf8(arg).ok()?;
            r.set_value(json(r.value().and_then(|v| sluice::json_at(v, pointer))));
        }
        b"cookie" => r.set_cookie(number(arg)?),
        b"set-timestamp" => r.set_timestamp(number(arg)?),
        b"grow" => grow(r, number(arg)?),
        b"null-header" => r.set_null_header(arg),
        b"remove-header" => r.remove_header(arg),
        b"set-header" => r.set_header(name, value?),
        b"add-header" => r.add_header(name, value?),
        _ => return None,
    }
    OK
}

fn unknown(i: &Instruction) -> Result<(), String> {
    Err(format!("unknown instruction: {}", String::from_utf8_lossy(i.all)))
}

fn on_send(r: &mut Record) -> Result<(), String> {
    for i in instructions(r) {
        anywhere(&i).or_else(|| plain(r, &i)).or_else(|| with_argument(r, &i)).unwrap_or_else(|| unknown(&i))?;
    }
    Ok(())
}

fn partition(r: &mut Record) -> Result<i32, String> {
    let mut chosen = NOT_MINE;
    for i in instructions(r) {
        match (anywhere(&i), i.verb) {
            (Some(done), _) => done?,
            (_, b"mod") => chosen = r.key().map_or(NOT_MINE, |key| sluice::key_partition(key, r.partitions())),
            (_, b"partition") => match i.arg.and_then(number::<i64>) {
                Some(n) => chosen = n as i32,
                None => unknown(&i)?,
            },
            (_, b"fail" | b"log" | b"count") => unknown(&i)?,
            _ => {}
        }
    }
    Ok(chosen)
}

fn on_ack(a: &Ack) {
    if a.cookie() == u64::MAX {
        panic!("trap");
    }
    let (topic, message) = (quoted(a.topic()), quoted(a.message()));
    let (partition, error, offset, timestamp) = (a.partition(), a.error(), a.offset(), a.timestamp());
    let (cookie, key_size, value_size) = (a.cookie(), a.key_size(), a.value_size());
    let line = format!(
        "ack topic={topic} partition={partition} error={error} offset={offset} timestamp={timestamp} \
         message={message} cookie={cookie} key_size={key_size} value_size={value_size}"
    );
    sluice::log(Level::Info, line);
}

fn list(strings: Vec<String>) -> String {
    let strings: Vec<String> = strings.iter().map(|s| quoted(s).to_string()).collect();
    format!("[{}]", strings.join(","))
}

fn read(c: &Config, entry: &str) {
    let (kind, at) = entry.split_once(':').unwrap_or((entry, ""));
    let found = match kind {
        "string" => quoted(&c.string(at, "fallback")).to_string(),
        "int" => c.int(at, -7).to_string(),
        "float" => ((c.float(at, 0.5) * 1000.0) as i64).to_string(),
        "bool" => c.bool(at, false).to_string(),
        "has" => c.has(at).to_string(),
        "strings" => list(c.strings(at)),
        "keys" => list(c.keys(at)),
        _ => String::new(),
    };
    sluice::log(Level::Info, format!("read {entry} = {found}"));
}

fn configure(c: &Config) -> Result<(), String> {
    let (topic, module, version, host) = (c.topic(), c.module(), c.version(), c.host());
    let (topic, module, version, host) = (quoted(&topic), quoted(&module), quoted(&version), quoted(&host));
    sluice::log(Level::Info, format!("configure topic={topic} module={module} version={version} host={host}"));
    if c.has("/only") {
        let more = c.strings("/only");
        let keys: Vec<&str> = ["only", "read", "refuse"].into_iter().chain(more.iter().map(String::as_str)).collect();
        c.only(&keys);
    }
    c.strings("/read").iter().for_each(|entry| read(c, entry));
    if c.has("/refuse") {
        return Err(c.string("/refuse", ""));
    }
    Ok(())
}

fn close() {
    sluice::log(Level::Info, "close");
}

sluice::configure!(configure);
sluice::partition!(partition);
sluice::on_send!(on_send);
sluice::on_ack!(on_ack);
sluice::close!(close);
