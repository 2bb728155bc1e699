#[exchange_call(op = "get_ticker")]
fn get_ticker(&self, symbol: String) -> impl Future<Output = Result<u8, ApiError>> + use<> {
    ready(self.known(symbol))
}
