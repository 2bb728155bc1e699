use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_REJECTED", severity = "WARNING", on = rejected)]
#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
