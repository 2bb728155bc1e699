use bot_metrics::prelude::*;

#[capital_check("maker")]
fn check() -> Capital {
    Capital::default()
}

fn main() {}
