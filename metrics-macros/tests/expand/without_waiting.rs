#[exchange_call(op = Operation::GetTicker, exchange = self.exchange)]
async fn get_ticker(&self) -> Result<u8, ApiError> {
    Ok(1)
}
