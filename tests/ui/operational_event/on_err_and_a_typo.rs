use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILUR", severity = "ERROR", on = er)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
