use bot_metrics::prelude::*;

#[exchange_call(op = "place_order")]
#[track_caller]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
