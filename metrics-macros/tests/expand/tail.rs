#[exchange_call(op = "get_ticker")]
fn get_ticker<'a>(&'a self, symbol: &str) -> Pin<Box<dyn Future<Output = Result<u8, ApiError>> + Send + 'a>> {
    let symbol = symbol.to_owned();
    Box::pin(async move { self.ask(symbol).await })
}
