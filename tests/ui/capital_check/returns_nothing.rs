use bot_metrics::prelude::*;

#[capital_check(profile = "maker")]
fn check() {}

fn main() {}
