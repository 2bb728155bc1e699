use bot_metrics::prelude::*;

#[capital_check(profil = "maker")]
fn check() -> Capital {
    Capital::default()
}

fn main() {}
