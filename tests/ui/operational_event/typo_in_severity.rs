use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "EROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
