use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = [err, panic, err])]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
