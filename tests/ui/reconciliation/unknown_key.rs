use bot_metrics::prelude::*;

#[reconciliation(every = "5s")]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

fn main() {}
