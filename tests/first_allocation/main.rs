//! An allocator that records allocations while the clock and the process-wide instance are being created, or while a
//! lock is held. It must not wait for them. Each case runs in its own process, since both are created once.

mod under_locks;
mod waits;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::process::Command;
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;

bot_metrics::metrics! {
    /// Duration of allocations.
    histogram allocation_seconds buckets(0.001, 1.0)
}

#[timed(allocation_seconds)]
fn timed_allocation() {}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", symbol = "BTCUSDT")]
fn symbol_event() {}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", text = "of an allocator")]
fn event_with_text() {}

#[reconciliation]
fn reconciliation() -> bot_metrics::ReconciliationReport {
    bot_metrics::ReconciliationReport::new()
}

fn reconcile() {
    reconciliation();
}

fn local_wait() {
    drop(bot_metrics::local_wait());
}

/// The ways in which the allocator records, by the name passed to the process.
const KINDS: [(&str, fn()); 5] = [
    ("timed", timed_allocation),
    ("event of a symbol", symbol_event),
    ("event with a text", event_with_text),
    ("reconciliation", reconcile),
    ("local wait", local_wait),
];

thread_local! {
    static RECORDS: Cell<Option<fn()>> = const { Cell::new(None) };
    /// Whether allocations made by the recording are recorded too.
    static NESTED: Cell<bool> = const { Cell::new(true) };
}

struct Recording;

// SAFETY: every call is forwarded to the system's allocator.
unsafe impl GlobalAlloc for Recording {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(record) = RECORDS.get() {
            if !NESTED.get() {
                RECORDS.set(None);
            }
            record();
            RECORDS.set(Some(record));
        }
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(record) = RECORDS.get() {
            if !NESTED.get() {
                RECORDS.set(None);
            }
            record();
            RECORDS.set(Some(record));
        }
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Recording = Recording;

#[exchange_call(op = "get_trades", exchange = "kraken")]
fn get_trades() {}

const KIND: &str = "BOT_METRICS_TEST_ALLOCATOR_RECORDS";
const INSTALLED: &str = "BOT_METRICS_TEST_INSTALLED_BEFORE";

#[test]
fn an_allocator_that_records_does_not_wait_for_the_clock_or_the_instance_to_be_created() {
    if let Ok(kind) = std::env::var(KIND) {
        let (_, record) = KINDS.into_iter().find(|(name, _)| *name == kind).expect("one of them");
        if std::env::var_os(INSTALLED).is_some() {
            // The recording creates the instance and with it the cells of the call sites; the clock is next.
            record();
        }
        RECORDS.set(Some(record));
        get_trades();
        RECORDS.set(None);
        record();
        let metrics = Settings::new(Mode::Paper).install().expect("one installation");
        let text = metrics.exposition();
        assert!(text.contains(
            "exchange_api_requests_total{exchange=\"kraken\",operation=\"get_trades\",outcome=\"ok\""
        ));
        return;
    }
    for (kind, _) in KINDS {
        for installed in [false, true] {
            let mut child = Command::new(std::env::current_exe().expect("a path"));
            child.args([
                "--exact",
                "an_allocator_that_records_does_not_wait_for_the_clock_or_the_instance_to_be_created",
            ]);
            child.env(KIND, kind);
            if installed {
                child.env(INSTALLED, "1");
            }
            ends_well(&mut child, kind);
        }
    }
}

/// Runs a process to its end, which must come soon.
fn ends_well(command: &mut Command, kind: &str) {
    let mut child = command.spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is ours") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it is ours");
            panic!("{kind}: it deadlocks");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{kind}: {status}");
}
