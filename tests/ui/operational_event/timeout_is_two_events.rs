use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = timeout)]
#[operational_event(type = "ORDER_UNKNOWN", severity = "ERROR", on = cancelled)]
async fn place() -> Result<(), std::io::Error> {
    std::future::ready(Ok(())).await
}

fn main() {}
