//! MODULE_NAME is an interceptor: it says in the header "source" where a record comes from, and refuses what has no value.
mod sluice;
use sluice::{counter_add, Config, Record, State};

static SOURCE: State<String> = State::new();

fn configure(c: &Config) {
    c.only(&["source"]);
    SOURCE.set(c.string("/source", "unknown"));
}

fn on_send(r: &mut Record) -> Result<(), &'static str> {
    if r.value().is_none() {
        return Err("a record must have a value");
    }
    r.set_header("source", SOURCE.get());
    counter_add("stamped", 1);
    Ok(())
}

sluice::configure!(configure);
sluice::on_send!(on_send);
