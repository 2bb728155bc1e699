use bot_metrics::prelude::*;

struct Client;

macro_rules! getters {
    ($($name:ident)*) => {
        $(fn $name(&self) -> Result<(), std::io::Error> { Ok(()) })*
    };
}

#[exchange_call(exchange = "binance")]
impl Client {
    fn place_order(&self) -> Result<(), std::io::Error> {
        Ok(())
    }

    getters!(get_ticker get_trades);
}

#[timed_subsystem("trading")]
impl Client {
    getters! { a b }
}

fn main() {}
