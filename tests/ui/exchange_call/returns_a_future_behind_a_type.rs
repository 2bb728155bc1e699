use bot_metrics::prelude::*;

#[exchange_call(op = "place_order")]
fn place() -> std::future::Ready<Result<(), std::io::Error>> {
    std::future::ready(Ok(()))
}

fn main() {}
