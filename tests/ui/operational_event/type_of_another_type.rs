use bot_metrics::prelude::*;

#[operational_event(type = labels::Severity::Error, severity = "ERROR")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
