use bot_metrics::prelude::*;

#[exchange_call(op = "place_order", every = "5s")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
