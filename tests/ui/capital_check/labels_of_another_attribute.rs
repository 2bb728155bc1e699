use bot_metrics::prelude::*;

#[capital_check(profile = "maker", labels = crate::labels)]
fn check() -> Capital {
    Capital::default()
}

fn main() {}
