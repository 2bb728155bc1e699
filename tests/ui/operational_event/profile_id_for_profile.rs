use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", profile_id = "maker")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
