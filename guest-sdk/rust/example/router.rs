//! Sends a record to the partition of its region: the key "eu:4711" of region "eu" with config {"regions": {"eu": 3}} goes
//! to partition 3. A record of no region that the config names is left to the default partitioner.
#[path = "../sluice.rs"]
mod sluice;
use sluice::{Config, Json, Record, State, NOT_MINE};
use std::collections::BTreeMap;

static REGIONS: State<BTreeMap<Vec<u8>, i32>> = State::new();

fn configure(c: &Config) -> Result<(), &'static str> {
    c.only(&["regions"]);
    let table = c.at("/regions").ok_or("config /regions is missing: it maps regions to partitions")?;
    let entry = |(name, partition): (Json, Json)| Some((name.bytes()?.into_owned(), partition.int()? as i32));
    REGIONS.set(table.members().filter_map(entry).collect());
    Ok(())
}

fn partition(r: &mut Record) -> i32 {
    let region = r.key().and_then(|key| key.split(|c| *c == b':').next());
    region.and_then(|region| REGIONS.get().get(region)).copied().unwrap_or(NOT_MINE)
}

sluice::configure!(configure);
sluice::partition!(partition);
