//! Prints its list of call sites, before and after it opens a library.
#![allow(dead_code)]
use bot_metrics::prelude::*;
use std::ffi::CString;

use named as _;

/// Refers to a library in a function that is never called.
fn mentions() {
    mentioned::mentioned_at_once();
}

#[timed_subsystem("trading")]
fn main() {
    #[timed_subsystem("monitor")]
    fn inner() {}
    let path = CString::new(std::env::args().nth(1).unwrap()).unwrap();
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!library.is_null(), "the library is there");
    let functions: Vec<_> = bot_metrics::call_sites().iter().map(|site| site.function).collect();
    println!("bot: {}", functions.join(", "));
    let list = unsafe { libc::dlsym(library, c"list".as_ptr()) };
    let list: extern "C" fn() = unsafe { std::mem::transmute(list) };
    list();
}

#[exchange_call(op = "get_order", exchange = "okx")]
fn generic<T: Default>() -> Result<T, String> {
    Ok(T::default())
}

#[operational_event(type = "STARTED", severity = "INFO")]
fn never_called() {}

struct Api<T>(T);

#[exchange_call(exchange = "okx")]
impl<T: Clone> Api<T> {
    async fn get_ticker(&self) -> Result<T, String> {
        Ok(self.0.clone())
    }
}
