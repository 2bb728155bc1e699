use bot_metrics::prelude::*;

#[exchange_call]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
