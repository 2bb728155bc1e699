use bot_metrics::prelude::*;

#[exchange_call(op = 1)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
