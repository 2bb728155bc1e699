#[timed_subsystem("trading")]
fn boxed(value: u8) -> Pin<Box<dyn Future<Output = u8>>> {
    println!("{value}");
    Box::pin(async move { ready(value).await },)
}
