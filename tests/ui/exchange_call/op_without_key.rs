use bot_metrics::prelude::*;

#[exchange_call("place_order")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
