#[path = "../../rust/sluice.rs"]
mod sluice;

sluice::partition!(|r: &mut sluice::Record| r.key().map_or(sluice::NOT_MINE, |key| sluice::key_partition(key, r.partitions())));
