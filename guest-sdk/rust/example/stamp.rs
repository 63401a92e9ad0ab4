//! Says in header "gateway" which machine took a record in.
#[path = "../sluice.rs"]
mod sluice;
use sluice::{Config, Record, State};

static HOST: State<String> = State::new();

fn configure(c: &Config) {
    HOST.set(c.host());
}

fn on_send(r: &mut Record) {
    r.set_header("gateway", HOST.get());
}

sluice::configure!(configure);
sluice::on_send!(on_send);
