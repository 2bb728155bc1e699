use bot_metrics::prelude::*;

#[operational_event(type = "STARTED" severity = "INFO")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
