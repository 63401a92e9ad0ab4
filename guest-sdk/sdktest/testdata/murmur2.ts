import { Record, eachPartition, keyPartition } from "../../assemblyscript/sluice";
export { sluice_abi_v1, sluice_alloc } from "../../assemblyscript/sluice";

function choose(r: Record): i32 {
  return keyPartition(r.key(), r.partitions());
}

export function partition(b: usize, n: usize): i32 { return eachPartition(b, n, choose); }
