#[exchange_call(exchange = "okx")]
impl<T: Clone> Api<T> {
    const LIMIT: u32 = 3;

    fn get_ticker(&self) -> Result<T, ApiError> {
        self.ask()
    }

    #[exchange_call(skip)]
    fn name(&self) -> &str {
        &self.name
    }
}
