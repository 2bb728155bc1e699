#[timed_subsystem("trading")]
fn boxed(value: u8) -> Pin<Box<dyn Future<Output = Result<u8, String>>>> {
    bail_boxed!(value);
    Box::pin(async move { Ok(ready(value).await) })
}
