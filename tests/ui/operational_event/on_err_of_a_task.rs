use bot_metrics::prelude::*;

struct JoinHandle;

#[operational_event(type = "STARTED", severity = "INFO", on = err)]
fn start() -> JoinHandle {
    JoinHandle
}

fn main() {}
