use bot_metrics::prelude::*;

#[exchange_call(op = labels::Operation::PlaceOrdr)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
