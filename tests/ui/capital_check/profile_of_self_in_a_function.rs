use bot_metrics::prelude::*;

#[capital_check(profile = self.profile_id)]
fn check() -> Capital {
    Capital::default()
}

fn main() {}
