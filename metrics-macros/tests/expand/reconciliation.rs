#[reconciliation]
fn reconcile() -> ReconciliationReport {
    compare(a(), b())
}
