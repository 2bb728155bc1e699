use bot_metrics::prelude::*;

#[capital_check(profile = "maker", profile = "taker")]
fn check() -> Capital {
    Capital::default()
}

fn main() {}
