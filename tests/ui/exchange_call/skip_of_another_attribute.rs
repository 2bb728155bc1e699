use bot_metrics::prelude::*;

struct Client;

#[exchange_call]
impl Client {
    #[reconciliation(skip)]
    fn connect(&self) {}
}

fn main() {}
