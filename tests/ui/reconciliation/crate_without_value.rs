use bot_metrics::prelude::*;

#[reconciliation(crate)]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

fn main() {}
