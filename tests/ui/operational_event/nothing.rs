use bot_metrics::prelude::*;

#[operational_event]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
