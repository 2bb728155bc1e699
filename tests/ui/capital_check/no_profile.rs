use bot_metrics::prelude::*;

#[capital_check]
fn check() -> Capital {
    Capital::default()
}

fn main() {}
