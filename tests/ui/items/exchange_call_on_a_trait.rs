use bot_metrics::prelude::*;

#[exchange_call]
trait Api {
    fn get_ticker(&self) -> Result<(), std::io::Error>;
}

fn main() {}
