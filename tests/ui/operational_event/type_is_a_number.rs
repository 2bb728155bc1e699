use bot_metrics::prelude::*;

#[operational_event(type = 3, severity = "ERROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
