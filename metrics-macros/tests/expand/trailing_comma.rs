#[timed_subsystem("trading")]
fn boxed(value: u8) -> Pin<Box<dyn Future<Output = u8>>> {
    let value = value + 1;
    Box::pin(async move { ready(value).await },)
}
