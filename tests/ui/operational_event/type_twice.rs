use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", type = "STARTED", severity = "ERROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
