use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
std::thread_local! {
    static BOT: u8 = 1;
}

fn main() {}
