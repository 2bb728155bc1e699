//! A thread that is stopped, possibly for ever, at any point of a recording.

use std::os::unix::thread::JoinHandleExt as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;
use bot_metrics::{Symbol, metrics};

use crate::{METRICS, full};

metrics! {
    /// Sizes that a stopped thread observes.
    histogram stopped_size { symbol: Symbol } buckets(1, 4)
    /// Counts of a stopped thread.
    counter stopped_total { symbol: Symbol }
}

#[exchange_call(op = "get_open_orders", exchange = "kraken")]
fn get_open_orders(fails: bool) -> Result<(), ()> {
    if fails { Err(()) } else { Ok(()) }
}

/// An instance whose last events come only from this test.
static EVENTS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).build().expect("the defaults are legal"));

fn failed() {
    EVENTS.event(Severity::Warning, EventType::OrderFailure).symbol("STOPPED").text("stopped").record();
}

static IS_TO_STAND: AtomicBool = AtomicBool::new(false);
static STANDS: AtomicBool = AtomicBool::new(false);

/// The number of complete rounds of recordings.
static ROUNDS: AtomicU64 = AtomicU64::new(0);

/// Blocks at the current point until released.
extern "C" fn stand_still(_: libc::c_int) {
    STANDS.store(true, SeqCst);
    while IS_TO_STAND.load(SeqCst) {
        let moment = libc::timespec { tv_sec: 0, tv_nsec: 100_000 };
        // SAFETY: a signal handler may sleep; the first argument is valid for reading, and the second may be null.
        unsafe { libc::nanosleep(&raw const moment, std::ptr::null_mut()) };
    }
    STANDS.store(false, SeqCst);
}

fn record() {
    let _ = (get_open_orders(false), get_open_orders(true));
    stopped_size("STOPPED").observe(3.0);
    stopped_total("STOPPED").increment();
    failed();
    ROUNDS.fetch_add(1, SeqCst);
}

/// F4: a stopped thread delays no scrape, and every scrape contains all complete recordings, and each incomplete one
/// completely or not at all.
#[test]
fn a_thread_that_is_stopped_in_the_middle_of_recording_delays_no_scrape() {
    // SAFETY: the handler calls only functions permitted in signal handlers.
    unsafe { libc::signal(libc::SIGUSR2, stand_still as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    let _metrics = &*METRICS;
    let (told, ready) = mpsc::channel();
    let ends = std::sync::Arc::new(AtomicBool::new(false));
    let recording = std::thread::spawn({
        let ends = std::sync::Arc::clone(&ends);
        move || {
            // A thread's first recordings take locks.
            record();
            told.send(()).expect("it waits");
            while !ends.load(SeqCst) {
                record();
            }
        }
    });
    ready.recv().expect("it records");
    let stops = if full() { 10_000 } else { 50 };
    for stop in 0..stops {
        IS_TO_STAND.store(true, SeqCst);
        // SAFETY: the thread has not been joined.
        assert_eq!(unsafe { libc::pthread_kill(recording.as_pthread_t(), libc::SIGUSR2) }, 0);
        while !STANDS.load(SeqCst) {
            std::thread::yield_now();
        }
        let (scraped, scrape) = mpsc::channel();
        std::thread::spawn(move || {
            scraped.send((Samples::of(&METRICS), Samples::of(&EVENTS), EVENTS.recent_events()))
        });
        let (samples, events, texts) =
            scrape.recv_timeout(Duration::from_secs(20)).expect("the scrape waited");
        check(&samples, &events, stop);
        assert!(!texts.is_empty() && texts.iter().all(|event| event.text == "stopped"), "{texts:?}");
        IS_TO_STAND.store(false, SeqCst);
        while STANDS.load(SeqCst) {
            std::thread::yield_now();
        }
        // Lets the thread advance to another point of the round.
        for _ in 0..stop % 64 {
            std::hint::spin_loop();
        }
    }
    ends.store(true, SeqCst);
    recording.join().expect("it ends well");
    println!("stopped {stops} times in {} rounds", ROUNDS.load(SeqCst));
    check(&Samples::of(&METRICS), &Samples::of(&EVENTS), stops);
}

fn check(samples: &Samples, events: &Samples, stop: i32) {
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    let rounds = ROUNDS.load(SeqCst) as f64;
    let calls = [("exchange", "kraken"), ("operation", "get_open_orders")];
    let value = |name: &str, labels: &[(&str, &str)]| samples.sum(&format!("bytelyst_bot_{name}"), labels);
    let observed = value("stopped_size_count", &[]);
    assert_eq!(value("stopped_size_sum", &[]), 3.0 * observed, "stop {stop}");
    let ended = value("exchange_api_requests_total", &calls);
    assert_eq!(value("exchange_api_latency_seconds_count", &calls), ended, "stop {stop}");
    let events = events.sum("bytelyst_bot_operational_events_total", &[("symbol", "STOPPED")]);
    for (what, count) in [
        ("observations", observed),
        ("counts", value("stopped_total", &[])),
        ("calls", (ended / 2.0).floor()),
        ("events", events),
    ] {
        assert!((rounds..=rounds + 1.0).contains(&count), "stop {stop}: {count} {what} of {rounds}");
    }
}
