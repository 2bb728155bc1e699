use bot_metrics::prelude::*;

#[exchange_call(op = "place_order", exchange = venue)]
fn place(venue: &str) -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
