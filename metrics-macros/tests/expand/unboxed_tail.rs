#[exchange_call(op = "get_ticker")]
fn get_ticker(&self, symbol: &str) -> impl Future<Output = Result<u8, ApiError>> + Send {
    let symbol = symbol.to_owned();
    async move { self.ask(symbol).await }
}
