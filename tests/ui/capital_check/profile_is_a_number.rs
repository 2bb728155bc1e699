use bot_metrics::prelude::*;

#[capital_check(profile = 7)]
fn check() -> Capital {
    Capital::default()
}

fn main() {}
