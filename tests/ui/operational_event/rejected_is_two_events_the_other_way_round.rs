use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err)]
#[operational_event(type = "ORDER_REJECTED", severity = "WARNING", on = [rejected, auth])]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
