use bot_metrics::prelude::*;

#[exchange_call(op = "plase_order", exchange = "binanc")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
