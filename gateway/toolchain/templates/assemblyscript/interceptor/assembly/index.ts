// MODULE_NAME is an interceptor: it says in the header "source" where a record comes from, and refuses what has no value.
import { Config, Record, configureWith, counterAdd, eachRecord, utf8 } from "./sluice";
export { sluice_abi_v1, sluice_alloc } from "./sluice";

let source = utf8("unknown");

function prepare(c: Config): void {
  c.only(["source"]);
  source = utf8(c.string("/source", "unknown"));
}

function stamp(r: Record): void {
  if (!r.value()) return r.fail("a record must have a value");
  r.setHeader("source", source);
  counterAdd("stamped", 1);
}

export function configure(p: usize, n: usize): i32 { return configureWith(p, n, prepare); }
export function on_send(b: usize, n: usize): i32 { return eachRecord(b, n, stamp); }
