#[exchange_call(exchange = "binance")]
impl Venue {
    #![allow(unused)]
    //! The exchange.

    fn get_ticker(&self) -> Result<f64, Error> {
        Ok(1.0)
    }
}
