use bot_metrics::prelude::*;

#[capital_check(profile = id)]
fn check(id: u32) -> Capital {
    Capital::default()
}

fn main() {}
