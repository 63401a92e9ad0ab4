// The conformance guest in AssemblyScript: guest-sdk/CONFORMANCE.md says what it does.
import {
  Ack, Config, Json, Kind, Level, NOT_MINE, Record,
  configureWith, counterAdd, eachAck, eachPartition, eachRecord, jsonAt, keyPartition, log, nowMS, text, utf8,
} from "../sluice";
export { sluice_abi_v1, sluice_alloc } from "../sluice";

const DIGITS = "0123456789abcdef";

// quoted is bytes as <q>.
function quoted(b: Uint8Array | null): string {
  if (!b) return "null";
  let out = '"';
  for (let i = 0; i < b.length; i++) {
    const c = b[i];
    if (c >= 0x20 && c <= 0x7e && c != 0x22 && c != 0x5c) out += String.fromCharCode(c);
    else out += "\\x" + DIGITS.charAt(c >> 4) + DIGITS.charAt(c & 15);
  }
  return out + '"';
}

function quotedText(s: string): string {
  return quoted(utf8(s));
}

function echo(r: Record): string {
  let headers = "";
  for (let i = 0; i < r.headerCount(); i++) {
    headers += (i > 0 ? "," : "") + quotedText(r.headerName(i)) + "=" + quoted(r.headerValue(i));
  }
  return (
    "index=" + r.index().toString() + " topic=" + quotedText(r.topic()) + " partitions=" + r.partitions().toString() +
    " partition=" + r.partition().toString() + " timestamp=" + r.timestamp().toString() + " cookie=" + r.cookie().toString() +
    " key=" + quoted(r.key()) + " value=" + quoted(r.value()) + " headers=[" + headers + "]"
  );
}

function json(j: Json | null): string {
  if (!j) return "missing";
  if (j.kind == Kind.Null) return "null";
  if (j.kind == Kind.Bool) return j.bool(false) ? "true" : "false";
  if (j.kind == Kind.String) return "string:" + quoted(j.bytes());
  if (j.kind == Kind.Object) return "object:" + j.size().toString();
  if (j.kind == Kind.Array) return "array:" + j.size().toString();
  return j.isInt() ? "int:" + j.int(0).toString() : "float:" + (<i64>(j.float(0) * 1000)).toString();
}

// before is what stands in front of the first c, behind is what follows it, null without one.
function before(b: Uint8Array, c: u8): Uint8Array {
  const i = b.indexOf(c);
  return i < 0 ? b : b.subarray(0, i);
}

function behind(b: Uint8Array, c: u8): Uint8Array | null {
  const i = b.indexOf(c);
  return i < 0 ? null : b.subarray(i + 1);
}

// What a header named "do" says.
class Instruction {
  verb: string;
  arg: Uint8Array;
  hasArg: bool;
  hasNumber: bool = false; // number holds arg
  number: i64 = 0;

  constructor(public all: Uint8Array) {
    const arg = behind(all, 0x3a);
    this.verb = text(before(all, 0x3a));
    this.hasArg = arg !== null;
    this.arg = arg ? arg : new Uint8Array(0);
    this.parse(this.arg, i64.MAX_VALUE);
  }

  // parse reads b as a decimal number of at most most, or one more if it is negative.
  parse(b: Uint8Array, most: u64): bool {
    const minus = b.length > 0 && b[0] == 0x2d;
    let n: u64 = 0;
    if (minus) most++;
    this.hasNumber = b.length > (minus ? 1 : 0);
    for (let i = minus ? 1 : 0; i < b.length; i++) {
      const digit = <u64>b[i] - 0x30;
      if (digit > 9 || n > (most - digit) / 10) return (this.hasNumber = false);
      n = n * 10 + digit;
    }
    this.number = minus ? -n : n;
    return this.hasNumber;
  }
}

function instructions(r: Record): Instruction[] {
  const list: Instruction[] = [];
  for (let i = 0; i < r.headerCount(); i++) {
    if (r.headerName(i) != "do") continue;
    const v = r.headerValue(i);
    list.push(new Instruction(v ? v : new Uint8Array(0)));
  }
  return list;
}

let failed = false; // by fail

// anywhere carries out what both hooks know; false = not known.
function anywhere(r: Record, i: Instruction): bool {
  if (i.verb == "trap") throw new Error("trap");
  if (i.verb == "loop") while (true) {}
  if (!i.hasArg) return false;
  if (i.verb == "fail") {
    r.fail(text(i.arg));
    return (failed = true);
  }
  const name = before(i.arg, 0x3a);
  const rest = behind(i.arg, 0x3a);
  if (!rest) return false;
  if (i.verb == "log" && name.length == 1 && name[0] >= 0x30 && name[0] <= 0x34) {
    log(name[0] - 0x30, text(rest));
    return true;
  }
  if (i.verb == "count" && i.parse(rest, i64.MAX_VALUE)) {
    counterAdd(text(name), i.number);
    return true;
  }
  return false;
}

function plain(r: Record, i: Instruction): bool {
  if (i.verb == "noop" || i.verb == "mod" || i.verb == "partition") return true;
  if (i.verb == "null-key") r.setNullKey();
  else if (i.verb == "null-value") r.setNullValue();
  else if (i.verb == "drop") r.drop();
  else if (i.verb == "now") r.setValue(utf8(nowMS().toString()));
  else if (i.verb == "echo") r.setValue(utf8(echo(r)));
  else return false;
  return true;
}

function grow(r: Record, n: i32): void {
  const room = new Uint8Array(n);
  let sum: u64 = 0;
  for (let i = 0; i < n; i += 4096) room[i] = 1;
  for (let i = 0; i < n; i += 4096) sum += room[i];
  r.setValue(utf8(sum.toString()));
}

function withArgument(r: Record, i: Instruction): bool {
  if (!i.hasArg) return false;
  if (i.verb == "set-key") r.setKey(i.arg);
  else if (i.verb == "set-value") r.setValue(i.arg);
  else if (i.verb == "route") r.route(text(i.arg));
  else if (i.verb == "json") r.setValue(utf8(json(jsonAt(r.value(), text(i.arg)))));
  else if (i.verb == "set-timestamp" && i.hasNumber) r.setTimestamp(i.number);
  else if (i.verb == "grow" && i.hasNumber) grow(r, <i32>i.number);
  else if (i.verb == "cookie" && !i.arg.includes(0x2d) && i.parse(i.arg, u64.MAX_VALUE)) r.setCookie(i.number);
  else return withHeaders(r, i);
  return true;
}

function withHeaders(r: Record, i: Instruction): bool {
  const name = text(before(i.arg, 0x3d));
  const value = behind(i.arg, 0x3d);
  if (i.verb == "null-header") r.setHeader(text(i.arg), null);
  else if (i.verb == "remove-header") r.removeHeader(text(i.arg));
  else if (i.verb == "set-header" && value) r.setHeader(name, value);
  else if (i.verb == "add-header" && value) r.addHeader(name, value);
  else return false;
  return true;
}

function unknown(r: Record, i: Instruction): void {
  r.fail("unknown instruction: " + text(i.all));
  failed = true;
}

function send(r: Record): void {
  const list = instructions(r);
  failed = false;
  for (let k = 0; k < list.length && !failed; k++) {
    const i = list[k];
    if (!anywhere(r, i) && !plain(r, i) && !withArgument(r, i)) unknown(r, i);
  }
}

function choose(r: Record): i32 {
  const list = instructions(r);
  let chosen = NOT_MINE;
  failed = false;
  for (let k = 0; k < list.length && !failed; k++) {
    const i = list[k];
    if (anywhere(r, i)) continue;
    if (i.verb == "mod") chosen = keyPartition(r.key(), r.partitions());
    else if (i.verb == "partition" && i.hasNumber) chosen = <i32>i.number;
    else if (i.verb == "partition" || i.verb == "fail" || i.verb == "log" || i.verb == "count") unknown(r, i);
  }
  return chosen;
}

function acknowledged(a: Ack): void {
  if (a.cookie() == u64.MAX_VALUE) throw new Error("trap");
  log(
    Level.Info,
    "ack topic=" + quotedText(a.topic()) + " partition=" + a.partition().toString() + " error=" + a.error().toString() +
      " offset=" + a.offset().toString() + " timestamp=" + a.timestamp().toString() + " message=" + quotedText(a.message()) +
      " cookie=" + a.cookie().toString() + " key_size=" + a.keySize().toString() + " value_size=" + a.valueSize().toString(),
  );
}

function list(strings: string[]): string {
  const out: string[] = [];
  for (let i = 0; i < strings.length; i++) out.push(quotedText(strings[i]));
  return "[" + out.join(",") + "]";
}

function read(c: Config, entry: string): string {
  const colon = entry.indexOf(":");
  const type = entry.substring(0, colon);
  const at = entry.substring(colon + 1);
  if (type == "string") return quotedText(c.string(at, "fallback"));
  if (type == "int") return c.int(at, -7).toString();
  if (type == "float") return (<i64>(c.float(at, 0.5) * 1000)).toString();
  if (type == "bool") return c.bool(at, false) ? "true" : "false";
  if (type == "has") return c.has(at) ? "true" : "false";
  if (type == "strings") return list(c.strings(at));
  return type == "keys" ? list(c.keys(at)) : "";
}

function prepare(c: Config): void {
  const who = quotedText(c.topic()) + " module=" + quotedText(c.module()) + " version=" + quotedText(c.version());
  log(Level.Info, "configure topic=" + who + " host=" + quotedText(c.host()));
  if (c.has("/only")) c.only(["only", "read", "refuse"].concat(c.strings("/only")));
  const entries = c.strings("/read");
  for (let i = 0; i < entries.length; i++) log(Level.Info, "read " + entries[i] + " = " + read(c, entries[i]));
  if (c.has("/refuse")) c.refuse(c.string("/refuse", ""));
}

export function configure(p: usize, n: usize): i32 { return configureWith(p, n, prepare); }
export function partition(b: usize, n: usize): i32 { return eachPartition(b, n, choose); }
export function on_send(b: usize, n: usize): i32 { return eachRecord(b, n, send); }
export function on_ack(b: usize, n: usize): i32 { return eachAck(b, n, acknowledged); }
export function close(): i32 {
  log(Level.Info, "close");
  return 0;
}
