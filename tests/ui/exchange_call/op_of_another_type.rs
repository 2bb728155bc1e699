use bot_metrics::prelude::*;

#[exchange_call(op = labels::Severity::Info)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
