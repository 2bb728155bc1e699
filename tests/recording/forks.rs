use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::prelude::*;

use crate::{METRICS, full};

#[exchange_call(op = "get_positions", exchange = "kraken")]
fn get_positions() {}

#[exchange_call(op = "get_balances", exchange = "kraken")]
fn get_balances() {}

/// F5: children are forked while other threads record, come and go, make series and scrape.
#[test]
fn forked_children_record_and_scrape() {
    let children = if full() { 1_000 } else { 50 };
    let done = AtomicBool::new(false);
    let busy = |work: fn(u64)| {
        let done = &done;
        move || {
            let mut n = 0;
            while !done.load(Relaxed) {
                work(n);
                n += 1;
            }
        }
    };
    let _metrics = &*METRICS;
    let mut late = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(busy(|_| get_positions()));
        scope.spawn(busy(|_| drop(std::thread::spawn(get_positions).join())));
        scope.spawn(busy(|n| {
            let symbol = format!("SYMBOL{}", n % 500);
            METRICS.event(Severity::Info, EventType::OrderFilled).symbol(&symbol).record();
        }));
        scope.spawn(busy(|_| drop(METRICS.exposition())));
        for child in 0..children {
            if let Err(what) = fork_and_scrape() {
                late.push(format!("child {child}: {what}"));
            }
        }
        done.store(true, Relaxed);
    });
    assert!(late.is_empty(), "{late:?}");
}

fn fork_and_scrape() -> Result<(), &'static str> {
    // SAFETY: the child calls only what this library promises to work there, and `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        get_balances();
        let counted = METRICS.exposition().contains("operation=\"get_balances\"");
        // SAFETY: it ends the child without anything of the parent's running twice.
        unsafe { libc::_exit(i32::from(!counted)) }
    }
    let deadline = Instant::now() + Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 100 });
    let mut status = 0;
    while Instant::now() < deadline {
        // SAFETY: `status` is valid for writing.
        if unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == pid {
            return if status == 0 { Ok(()) } else { Err("did not scrape what it recorded") };
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    // SAFETY: the child is ours and not waited for yet.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, &raw mut status, 0);
    }
    Err("hangs")
}
