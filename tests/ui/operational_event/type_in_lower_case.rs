use bot_metrics::prelude::*;

#[operational_event(type = "order_failure", severity = "ERROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
