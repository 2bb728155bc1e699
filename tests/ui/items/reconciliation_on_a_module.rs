use bot_metrics::prelude::*;

#[reconciliation]
mod reconcile {}

fn main() {}
