use bot_metrics::prelude::*;

#[reconciliation(crate = ::bot_metrics, crate = ::bot_metrics)]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

fn main() {}
