use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;
use bot_metrics::testing::{Samples, locks_taken};
use bot_metrics::{ProfileId, Symbol, metrics};

use crate::allocator::{asked, in_use};
use crate::{METRICS, full, in_flight, requests};

#[exchange_call(op = "place_order", exchange = "kraken")]
fn place_order(n: u64) -> Result<u64, u64> {
    if n % 3 == 1 {
        return Err(n);
    }
    assert!(n % 3 != 2, "on purpose");
    Ok(n)
}

#[exchange_call(op = "cancel_order", exchange = "kraken")]
async fn cancel_order(waits: bool) -> Result<(), ()> {
    if waits { std::future::pending().await } else { Ok(()) }
}

#[timed_subsystem("monitor")]
fn monitor() -> Outcome {
    Outcome::Skipped
}

/// Polls a future once and drops it.
fn poll_once(future: impl Future) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(pin!(future).as_mut().poll(&mut context), Poll::Ready(_))
}

fn each_end() {
    assert_eq!(place_order(0), Ok(0));
    assert_eq!(place_order(1), Err(1));
    assert!(poll_once(cancel_order(false)));
    assert!(!poll_once(cancel_order(true)), "cancelled");
    monitor();
}

/// F1.
#[test]
fn recording_allocates_nothing_after_a_threads_first_call() {
    let rounds = if full() { 2_000_000 } else { 20_000 };
    let _metrics = &*METRICS;
    std::thread::spawn(move || {
        each_end();
        let before = (asked(), locks_taken());
        for _ in 0..rounds {
            each_end();
        }
        assert_eq!((asked(), locks_taken()), before, "in {} calls", rounds * 5);
        // A panic itself allocates, so it is compared with the same panic in a bare function.
        let price = |body: &mut dyn FnMut()| {
            let before = asked();
            assert!(catch_unwind(AssertUnwindSafe(body)).is_err());
            asked() - before
        };
        std::panic::set_hook(Box::new(|_| ()));
        let bare = price(&mut || panic!("on purpose"));
        let measured = price(&mut || assert_eq!(place_order(2), Ok(2)));
        drop(std::panic::take_hook());
        assert_eq!(measured, bare);
    })
    .join()
    .expect("no allocation");
    let rounds = f64::from(rounds) + 1.0;
    let place = ["ok", "error", "panic"].map(|outcome| requests("place_order", outcome));
    assert_eq!(place, [rounds, rounds, 1.0]);
    assert_eq!((requests("cancel_order", "ok"), requests("cancel_order", "cancelled")), (rounds, rounds));
    assert_eq!((in_flight("place_order"), in_flight("cancel_order")), (0.0, 0.0));
}

#[capital_check(profile = "maker")]
fn capital(positions: f64) -> Capital {
    Capital { allocated: 100.0, positions, ..Capital::default() }
}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", profile = profile, symbol = "BTCUSDT")]
fn failed(profile: &str) {}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = always, profile = profile)]
async fn failed_later(profile: &str) {
    std::future::ready(profile).await;
}

/// F1 for recordings with a profile or a symbol.
#[test]
fn profiles_and_symbols_allocate_nothing_once_they_are_known() {
    let _metrics = &*METRICS;
    std::thread::spawn(|| {
        let all = || {
            // Below zero and back.
            capital(150.0);
            capital(50.0);
            failed("taker");
            failed("");
            assert!(poll_once(failed_later("other")));
        };
        all();
        let before = asked();
        for _ in 0..1_000 {
            all();
        }
        assert_eq!(asked() - before, 0);
    })
    .join()
    .expect("no allocation");
    let violations = [("profile_id", "maker")];
    let samples = Samples::of(&METRICS);
    assert_eq!(samples.value("bytelyst_bot_capital_invariant_violations_total", &violations), Some(1_001.0));
}

metrics! {
    /// Fills.
    counter fills_total { severity: labels::Severity }
    /// Slippage of a fill.
    histogram fill_slippage_ratio { severity: labels::Severity } buckets(0.001, 0.01)
    /// Time to a fill.
    histogram fill_seconds { severity: labels::Severity, symbol: Symbol } buckets(0.1, 1)
    /// Fills by profile.
    counter profile_fills_total { profile: ProfileId, symbol: Symbol }
    /// Fills counted by short threads.
    counter fills_by_threads_total
    /// Size at the best price.
    gauge best_size { symbol: Symbol }
}

#[timed(fill_seconds, severity = "INFO", symbol = symbol)]
#[counted(profile_fills_total, profile = "maker", symbol = symbol, on = err)]
#[operational_event(type = "ORDER_FILLED", severity = "INFO", symbol = symbol, text = "filled in part", on = err)]
fn fill(symbol: &str) -> Result<(), usize> {
    Err(symbol.len())
}

#[operational_event(type = "ORDER_FAILURE", severity = "WARNING", on = err)]
fn fails() -> Result<(), ()> {
    Err(())
}

fn record_closed(value: f64) {
    fills_total(labels::Severity::Info).increment();
    fill_slippage_ratio(labels::Severity::Error).observe(value);
    fill_slippage_ratio(labels::Severity::Error).observe(f64::NAN);
    assert_eq!(fails(), Err(()));
}

fn record_open(symbol: &str, value: f64) {
    fill_seconds(labels::Severity::Info, symbol).observe(value);
    profile_fills_total("maker", symbol).add(2);
    best_size(symbol).set(value);
    assert_eq!(fill(symbol), Err(symbol.len()));
}

/// F1 for a bot's own families and for events, with closed and with open labels.
#[test]
fn own_families_and_events_allocate_nothing_and_take_no_lock_once_their_labels_are_known() {
    let windows = if full() { 10_000 } else { 100 };
    let _metrics = &*METRICS;
    let symbols: Vec<String> = (0..100).map(|n| format!("{n}USDT")).collect();
    std::thread::spawn(move || {
        let cost = |record: &dyn Fn(&str)| {
            let before = (asked(), locks_taken());
            for symbol in &symbols {
                record(symbol);
            }
            (asked() - before.0, locks_taken() - before.1)
        };
        let closed = |_: &str| record_closed(0.5);
        let open = |symbol: &str| record_open(symbol, 0.5);
        let _ = (cost(&closed), cost(&open));
        let closed = (0..windows).filter(|_| cost(&closed) == (0, 0)).count();
        assert_eq!(closed, windows);
        // After a series is removed, in any instance, threads refresh their caches once; concurrent tests remove
        // series.
        let open = (0..windows).filter(|_| cost(&open) == (0, 0)).count();
        assert!(open > windows * 9 / 10, "{open} of {windows}");
    })
    .join()
    .expect("no allocation, no lock");
    let rounds = 100 * u32::try_from(windows).expect("few");
    let samples = Samples::of(&METRICS);
    let all = f64::from(rounds) + 100.0;
    let sum = |name: &str, labels: &[(&str, &str)]| samples.sum(&format!("bytelyst_bot_{name}"), labels);
    assert_eq!(sum("fills_total", &[]), all);
    assert_eq!(sum("fill_slippage_ratio_sum", &[]), all * 0.5);
    assert_eq!(sum("fill_seconds_count", &[]), 2.0 * all);
    assert_eq!(sum("profile_fills_total", &[("profile", "maker")]), 3.0 * all);
    assert_eq!(sum("operational_events_total", &[("type", "ORDER_FILLED")]), all);
    assert_eq!(sum("operational_events_total", &[("type", "ORDER_FAILURE"), ("severity", "WARNING")]), all);
    assert_eq!(sum("invalid_observations_total", &[("metric", "bytelyst_bot_fill_slippage_ratio")]), all);
    assert_eq!(METRICS.recent_events()[0].text, "filled in part");
}

#[exchange_call(op = "get_ticker", exchange = "kraken")]
fn get_ticker() {}

/// F15.
#[test]
fn recordings_without_scrapes_use_no_memory_and_do_not_slow_the_next_scrape() {
    let calls: u32 = if full() { 1_000_000_000 } else { 1_000_000 };
    get_ticker();
    let before = (in_use(), requests("get_ticker", "ok"));
    for _ in 0..calls {
        get_ticker();
    }
    // Concurrent tests use some memory.
    assert!(in_use() - before.0 < 4 << 20, "{} bytes more", in_use() - before.0);
    let start = Instant::now();
    let scraped = METRICS.exposition();
    let took = start.elapsed();
    println!("{} bytes more after {calls} calls, then a scrape in {took:?}", in_use() - before.0);
    // The time limit applies to a release build on an otherwise idle machine.
    if full() {
        assert!(took < Duration::from_millis(20), "{took:?}");
    }
    drop(scraped);
    assert_eq!(requests("get_ticker", "ok") - before.1, f64::from(calls));
}

#[exchange_call(op = "cancel_all_orders", exchange = "kraken")]
fn cancel_all_orders() {}

/// The next thread continues the counts of one that has ended.
#[test]
fn any_number_of_short_threads_use_no_memory_and_lose_nothing() {
    let threads: u32 = if full() { 100_000 } else { 2_000 };
    let live = || {
        cancel_all_orders();
        fills_by_threads_total().increment();
    };
    let run = |threads: u32| {
        (0..threads).for_each(|_| std::thread::spawn(live).join().expect("it ends well"));
    };
    let _metrics = &*METRICS;
    run(100);
    let before = in_use();
    run(threads);
    // Concurrent tests use some memory.
    println!("{} bytes more after {threads} threads", in_use() - before);
    assert!(in_use() - before < 4 << 20, "{} bytes more", in_use() - before);
    let all = f64::from(threads + 100);
    let counted = Samples::of(&METRICS).value("bytelyst_bot_fills_by_threads_total", &[]);
    assert_eq!((requests("cancel_all_orders", "ok"), counted), (all, Some(all)));
}

/// The memory of a scrape is that of its text, independent of the number of series.
#[test]
fn a_scrape_allocates_nothing_for_a_series() {
    use bot_metrics::labels::{EventType, Exchange, Operation, Severity};
    let metrics = Settings::new(Mode::Paper).build().expect("the defaults are legal");
    let scrape = || {
        // The first scrape determines the length of the text.
        drop(metrics.exposition());
        let before = asked();
        let text = metrics.exposition();
        (asked() - before, text.lines().count())
    };
    let record = |operation| {
        for exchange in
            [Exchange::Binance, Exchange::Bybit, Exchange::Okx, Exchange::Kraken, Exchange::Deribit]
        {
            metrics.exchange_call(exchange, operation).start().finish(Outcome::Ok);
        }
    };
    record(Operation::PlaceOrder);
    metrics.event(Severity::Info, EventType::OrderFilled).symbol("BTC").record();
    let few = scrape();
    for operation in [Operation::CancelOrder, Operation::GetTicker, Operation::GetTrades, Operation::GetOrder]
    {
        record(operation);
    }
    for n in 0..150 {
        metrics.event(Severity::Info, EventType::OrderFilled).symbol(&format!("SYMBOL{n}")).record();
    }
    let many = scrape();
    assert!(many.1 > few.1 + 800, "{} lines, {} before", many.1, few.1);
    // A larger text of a family that is buffered for its turn grows once or twice more.
    assert!(many.0 <= few.0 + 6, "{} allocations, {} before", many.0, few.0);
}
