use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = [err, !rejected])]
async fn place() -> Result<(), String> {
    std::future::ready(Ok(())).await
}

fn main() {}
