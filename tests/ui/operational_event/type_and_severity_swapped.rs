use bot_metrics::prelude::*;

#[operational_event(type = "ERROR", severity = "ORDER_FAILURE")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
