use bot_metrics::prelude::*;

struct Client;

#[exchange_call]
impl Client {
    #[exchange_call(skp)]
    fn connect(&self) {}
}

fn main() {}
