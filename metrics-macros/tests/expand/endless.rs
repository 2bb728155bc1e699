#[timed_subsystem("trading")]
async fn trade() -> ! {
    loop {
        cycle().await;
    }
}
