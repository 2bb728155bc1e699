use bot_metrics::prelude::*;

#[reconciliation(@ + ;)]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

fn main() {}
