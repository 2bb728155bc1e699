use bot_metrics::prelude::*;

struct Client;

#[exchange_call]
impl Client {
    fn sign(&self) {}
}

fn main() {}
