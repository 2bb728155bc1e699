#[counted(signals_total, on = err)]
fn signal(&self) -> Result<Signal, Error> {
    self.strategy.decide()
}
