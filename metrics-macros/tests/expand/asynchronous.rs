#[timed_subsystem("monitor", optional, on_cancel = "observe", max_age = "1m")]
async fn monitor(order: Order) -> Result<impl Iterator<Item = u8>, BotError> {
    order.check().await?;
    Ok(order.into_iter())
}
