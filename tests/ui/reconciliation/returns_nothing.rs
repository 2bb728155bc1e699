use bot_metrics::prelude::*;

#[reconciliation]
fn reconcile() {}

fn main() {}
