#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err, symbol = order.symbol)]
#[timed_subsystem("trading")]
#[exchange_call(op = "place_order")]
#[must_use]
async fn place(&self, order: Order, (first, _): (u8, Guard)) -> Result<u64, ApiError> {
    self.send(order, first).await
}
