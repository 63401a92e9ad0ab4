// Spreads records over partitions as Kafka does: by the hash of the key.
import { Record, eachPartition, keyPartition } from "../../../guest-sdk/assemblyscript/sluice";
export { sluice_abi_v1, sluice_alloc } from "../../../guest-sdk/assemblyscript/sluice";

function choose(r: Record): i32 { return keyPartition(r.key(), r.partitions()); }

export function partition(b: usize, n: usize): i32 { return eachPartition(b, n, choose); }
