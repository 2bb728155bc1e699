use bot_metrics::prelude::*;

#[exchange_call(op = "plaec_order")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
