use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_UNKNOWN", severity = "ERROR", on = cancelled)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
