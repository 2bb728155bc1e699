#[exchange_call]
impl Client {
    fn get_ticker(&self) -> Result<u8, ApiError> {
        self.ask("ticker")
    }

    #[exchange_call(skip)]
    getters! { symbol }
}
