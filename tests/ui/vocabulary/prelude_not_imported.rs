#[timed_subsystem("trading")]
fn cycle() {}

fn main() {}
