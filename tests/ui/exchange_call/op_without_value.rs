use bot_metrics::prelude::*;

#[exchange_call(op)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
