//! MODULE_NAME is a partitioner: records with the header "priority: high" have partitions of their own, the first ones of
//! the topic. All others share the rest, by key as Kafka does it.
mod sluice;
use sluice::{key_partition, Config, Record, State, NOT_MINE};

static RESERVED: State<i32> = State::new(); // partitions for what is urgent

fn configure(c: &Config) {
    c.only(&["reserved"]);
    let reserved = c.int("/reserved", 1);
    if !(1..=1000).contains(&reserved) {
        c.wrong("/reserved", "must be between 1 and 1000");
    }
    RESERVED.set(reserved as i32);
}

fn partition(r: &mut Record) -> i32 {
    let reserved = *RESERVED.get();
    match r.key() {
        None => NOT_MINE,
        Some(_) if r.partitions() <= reserved => NOT_MINE,
        Some(key) if r.header("priority") == Some(Some(b"high")) => key_partition(key, reserved),
        Some(key) => reserved + key_partition(key, r.partitions() - reserved),
    }
}

sluice::configure!(configure);
sluice::partition!(partition);
