// MODULE_NAME is a partitioner: records with the header "priority: high" have partitions of their own, the first ones of
// the topic. All others share the rest, by key as Kafka does it.
import { Config, Record, NOT_MINE, configureWith, eachPartition, keyPartition, text } from "./sluice";
export { sluice_abi_v1, sluice_alloc } from "./sluice";

let reserved: i32 = 1; // partitions for what is urgent

function prepare(c: Config): void {
  c.only(["reserved"]);
  const n = c.int("/reserved", 1);
  if (n < 1 || n > 1000) return c.wrong("/reserved", "must be between 1 and 1000");
  reserved = <i32>n;
}

function choose(r: Record): i32 {
  const key = r.key();
  if (!key || r.partitions() <= reserved) return NOT_MINE;
  if (text(r.header("priority")) == "high") return keyPartition(key, reserved);
  return reserved + keyPartition(key, r.partitions() - reserved);
}

export function configure(p: usize, n: usize): i32 { return configureWith(p, n, prepare); }
export function partition(b: usize, n: usize): i32 { return eachPartition(b, n, choose); }
