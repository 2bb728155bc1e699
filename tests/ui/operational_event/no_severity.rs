use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
