use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;

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

/// Polls once and drops.
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
fn recording_asks_for_no_memory_after_a_threads_first_call() {
    let rounds = if full() { 2_000_000 } else { 20_000 };
    let _metrics = &*METRICS;
    std::thread::spawn(move || {
        each_end();
        let before = asked();
        for _ in 0..rounds {
            each_end();
        }
        assert_eq!(asked() - before, 0, "in {} calls", rounds * 5);
        // A panic has its own price, so it is measured against the same panic in a bare function.
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

/// F1, of what has a profile or a symbol.
#[test]
fn profiles_and_symbols_ask_for_no_memory_once_they_are_known() {
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

#[exchange_call(op = "get_ticker", exchange = "kraken")]
fn get_ticker() {}

/// F15.
#[test]
fn recordings_that_nobody_scrapes_use_no_memory_and_the_next_scrape_is_as_quick() {
    let calls: u32 = if full() { 1_000_000_000 } else { 1_000_000 };
    get_ticker();
    let before = (in_use(), requests("get_ticker", "ok"));
    for _ in 0..calls {
        get_ticker();
    }
    // Other tests run beside this one and use some.
    assert!(in_use() - before.0 < 4 << 20, "{} bytes more", in_use() - before.0);
    let start = Instant::now();
    let scraped = METRICS.exposition();
    let took = start.elapsed();
    // A time is promised of a release build on a machine of its own.
    if full() {
        assert!(took < Duration::from_millis(20), "{took:?}");
    }
    drop(scraped);
    assert_eq!(requests("get_ticker", "ok") - before.1, f64::from(calls));
}

/// A scrape's memory is that of its text, however many series there are.
#[test]
fn a_scrape_allocates_nothing_for_a_series() {
    use bot_metrics::labels::{EventType, Exchange, Operation, Severity};
    let metrics = Settings::new(Mode::Paper).build().expect("the defaults are legal");
    let scrape = || {
        // The first one learns how long the text is.
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
    // A larger text of a family that waits for its turn grows once or twice more.
    assert!(many.0 <= few.0 + 6, "{} allocations, {} before", many.0, few.0);
}
