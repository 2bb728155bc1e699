use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", symbol = id)]
fn place(id: u64) -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
