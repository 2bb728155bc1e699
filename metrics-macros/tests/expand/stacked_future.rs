#[timed_subsystem("trading")]
#[exchange_call(op = "place_order", exchange = self.exchange)]
fn place(&self, order: Order) -> impl Future<Output = Result<u64, ApiError>> {
    send(order)
}
