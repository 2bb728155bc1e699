use bot_metrics::timed_subsystem;

#[timed_subsystem("trading")]
fn cycle() {}

fn main() {}
