//! A library that is opened at run time.
use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
fn in_an_opened_library() {}

/// Prints this library's list.
#[unsafe(no_mangle)]
pub extern "C" fn list() {
    let functions: Vec<_> = bot_metrics::call_sites().iter().map(|site| site.function).collect();
    println!("opened: {}", functions.join(", "));
}
