use bot_metrics::prelude::*;

#[reconciliation]
fn reconcile() -> Result<(), String> {
    Ok(())
}

fn main() {}
