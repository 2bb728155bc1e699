use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", symbol = 1)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
