use bot_metrics::prelude::*;

#[reconciliation("trading")]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

fn main() {}
