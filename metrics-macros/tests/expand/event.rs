#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err, profile = self.profile, symbol = order.symbol)]
fn submit(&self, order: Order) -> Result<u64, BotError> {
    self.send(order)
}
