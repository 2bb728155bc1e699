use bot_metrics::prelude::*;

#[exchange_call(exchange = "binance")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
