#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err)]
#[exchange_call(op = "place_order")]
#[tracing::instrument]
#[timed_subsystem("trading")]
fn place(order: Order) -> Pin<Box<dyn Future<Output = Result<u64, ApiError>>>> {
    ensure!(order.quantity > 0);
    Box::pin(async move { send(order).await })
}
