#[timed(crate::families::signal_to_ack_seconds, side = "buy", symbol = &order.symbol)]
async fn submit(order: Order) -> Result<Ack, ApiError> {
    exchange.send(order).await
}
