use bot_metrics::prelude::*;

#[capital_check(profile = "maker")]
struct Wallet;

fn main() {}
