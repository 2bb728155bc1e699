//! Timers of histograms.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bot_metrics::{Symbol, assert_metric, metrics};

use crate::METRICS;

metrics! {
    /// Time to read the order book.
    histogram book_read_seconds { symbol: Symbol } buckets(0.001, 1_000)
}

#[test]
fn a_timer_observes_the_elapsed_seconds_when_it_is_dropped() {
    let metrics = &*METRICS;
    let timer = book_read_seconds("SLOW").start_timer();
    assert_metric!(metrics, "bytelyst_bot_book_read_seconds_count{symbol='SLOW'}", 0);
    std::thread::sleep(Duration::from_millis(2));
    drop(timer);
    assert_metric!(metrics, "bytelyst_bot_book_read_seconds_count{symbol='SLOW'}", 1);
    assert_metric!(metrics, "bytelyst_bot_book_read_seconds_sum{symbol='SLOW'}", 0.002..60.0);
    assert_metric!(metrics, "bytelyst_bot_book_read_seconds_bucket{symbol='SLOW',le='0.001'}", 0);
}

#[test]
fn a_timer_observes_during_a_panic_and_in_another_thread() {
    let metrics = &*METRICS;
    let fails = || {
        let _timer = book_read_seconds("PANIC").start_timer();
        panic!("on purpose");
    };
    assert!(catch_unwind(AssertUnwindSafe(fails)).is_err());
    assert_metric!(metrics, "bytelyst_bot_book_read_seconds_count{symbol='PANIC'}", 1);
    let timer = book_read_seconds("MOVED").start_timer();
    std::thread::spawn(move || drop(timer)).join().expect("it ends well");
    assert_metric!(metrics, "bytelyst_bot_book_read_seconds_count{symbol='MOVED'}", 1);
}

#[test]
fn a_discarded_timer_observes_nothing() {
    let metrics = &*METRICS;
    book_read_seconds("DISCARDED").start_timer().discard();
    assert_metric!(metrics, "bytelyst_bot_book_read_seconds_count{symbol='DISCARDED'}", 0);
}
