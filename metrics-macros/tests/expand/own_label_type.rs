#[exchange_call(op = "place_order", exchange = exchange)]
fn place(exchange: venues::Exchange, order: Order) -> Result<u64, ApiError> {
    send(exchange, order)
}
