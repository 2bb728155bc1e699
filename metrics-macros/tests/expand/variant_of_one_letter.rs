#[exchange_call(op = "place_order", exchange = Venue::B)]
fn place(order: Order) -> Result<u64, ApiError> {
    send(order)
}
