use bot_metrics::prelude::*;

#[operational_event(severity = "ERROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
