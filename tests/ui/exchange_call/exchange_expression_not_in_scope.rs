use bot_metrics::prelude::*;

#[exchange_call(op = "place_order", exchange = self.exchange)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
