// Says in header "gateway" which machine took a record in.
import { Config, Record, configureWith, eachRecord, utf8 } from "../sluice";
export { sluice_abi_v1, sluice_alloc } from "../sluice";

let host = utf8("");

function prepare(c: Config): void {
  host = utf8(c.host());
}

function stamp(r: Record): void {
  r.setHeader("gateway", host);
}

export function configure(p: usize, n: usize): i32 { return configureWith(p, n, prepare); }
export function on_send(b: usize, n: usize): i32 { return eachRecord(b, n, stamp); }
