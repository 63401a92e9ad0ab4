// Sends a record to the partition of its region: the key "eu:4711" of region "eu" with config {"regions": {"eu": 3}} goes
// to partition 3. A record of no region that the config names is left to the default partitioner.
import { Config, Record, NOT_MINE, configureWith, eachPartition, text } from "../sluice";
export { sluice_abi_v1, sluice_alloc } from "../sluice";

const regions = new Map<string, i32>();

function prepare(c: Config): void {
  c.only(["regions"]);
  const table = c.at("/regions");
  if (!table) return c.refuse("config /regions is missing: it maps regions to partitions");
  const m = table.members();
  while (m.next()) regions.set(m.name(), <i32>m.value().int(NOT_MINE));
}

function choose(r: Record): i32 {
  const key = r.key();
  if (!key) return NOT_MINE;
  const region = text(key).split(":")[0];
  return regions.has(region) ? regions.get(region) : NOT_MINE;
}

export function configure(p: usize, n: usize): i32 { return configureWith(p, n, prepare); }
export function partition(b: usize, n: usize): i32 { return eachPartition(b, n, choose); }
