#[exchange_call(op = "get_trades")]
async fn trades<const N: usize>(&self) -> [Trade; N] {
    self.newest(N).await
}
