use bot_metrics::prelude::*;

#[operational_event(kind = "ORDER_FAILURE", severity = "ERROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
