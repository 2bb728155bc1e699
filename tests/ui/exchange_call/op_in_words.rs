use bot_metrics::prelude::*;

#[exchange_call(op = "place order")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
