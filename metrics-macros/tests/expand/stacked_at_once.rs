#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err)]
#[timed_subsystem("trading")]
#[exchange_call(op = "place_order")]
async fn place(&self, order: Order) -> Result<u64, ApiError> {
    self.send(order)
}
