//! An allocator that records what is allocated while the clock and the process-wide instance are made, or under any lock: it
//! must not wait for them. Each case is a process of its own, since they are made once.

mod under_locks;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::process::Command;
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;

bot_metrics::metrics! {
    /// How long allocations take.
    histogram allocation_seconds buckets(0.001, 1.0)
}

#[timed(allocation_seconds)]
fn timed_allocation() {}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", symbol = "BTCUSDT")]
fn symbol_event() {}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", text = "of an allocator")]
fn event_with_text() {}

fn local_wait() {
    drop(bot_metrics::local_wait());
}

/// What the allocator does, by the name that the process is told.
const KINDS: [(&str, fn()); 4] = [
    ("timed", timed_allocation),
    ("event of a symbol", symbol_event),
    ("event with a text", event_with_text),
    ("local wait", local_wait),
];

thread_local! {
    static RECORDS: Cell<Option<fn()>> = const { Cell::new(None) };
    /// Whether what is allocated by the recording is recorded too.
    static NESTED: Cell<bool> = const { Cell::new(true) };
}

struct Recording;

// SAFETY: all that is asked is asked of the system's allocator.
unsafe impl GlobalAlloc for Recording {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(record) = RECORDS.get() {
            if !NESTED.get() {
                RECORDS.set(None);
            }
            record();
            RECORDS.set(Some(record));
        }
        // SAFETY: the caller's promise.
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
        // SAFETY: the caller's promise.
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
fn what_an_allocator_records_while_the_clock_or_the_instance_is_made_waits_for_neither() {
    if let Ok(kind) = std::env::var(KIND) {
        let (_, record) = KINDS.into_iter().find(|(name, _)| *name == kind).expect("one of them");
        if std::env::var_os(INSTALLED).is_some() {
            // Made here is the instance, and with it the cells of sites; the clock is next.
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
                "what_an_allocator_records_while_the_clock_or_the_instance_is_made_waits_for_neither",
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
            panic!("{kind}: it waits for itself");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{kind}: {status}");
}
