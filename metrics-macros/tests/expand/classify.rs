#[exchange_call(op = "get_ticker", classify = Answer::outcome)]
fn get_ticker(&self, symbol: &str) -> Answer {
    self.ask(symbol)
}
