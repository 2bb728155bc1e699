use bot_metrics::prelude::*;

#[operational_event("ORDER_FAILURE", severity = "ERROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
