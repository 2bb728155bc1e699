#[exchange_call(op = "get_trades")]
fn trades(&self) -> impl Iterator<Item = Trade> {
    self.all.iter().copied()
}
