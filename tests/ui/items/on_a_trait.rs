use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
trait Bot {
    fn cycle(&self) {}
}

fn main() {}
