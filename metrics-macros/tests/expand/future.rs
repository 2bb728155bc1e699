#[exchange_call(op = "get_ticker")]
fn get_ticker(&self, symbol: String) -> BoxFuture<'_, Result<u8, ApiError>> {
    if symbol.is_empty() {
        return self.nothing();
    }
    self.ask(symbol)
}
