use bot_metrics::prelude::*;

struct Client;

#[exchange_call]
impl Client {
    fn plase_order(&self) {}
}

fn main() {}
