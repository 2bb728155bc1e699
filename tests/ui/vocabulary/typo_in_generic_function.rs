use bot_metrics::prelude::*;

#[exchange_call(op = "plase_order")]
fn place<Operation>(order: Operation) -> Operation {
    order
}

fn main() {}
