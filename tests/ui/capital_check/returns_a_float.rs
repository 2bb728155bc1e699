use bot_metrics::prelude::*;

#[capital_check(profile = "maker")]
fn check() -> f64 {
    1.0
}

fn main() {}
