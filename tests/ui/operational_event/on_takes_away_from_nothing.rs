use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = !rejected)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
