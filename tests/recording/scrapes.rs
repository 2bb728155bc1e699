use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::prelude::*;

use crate::allocator::{is_stalled, release, stalling};
use crate::{METRICS, NO_FORKS, full, requests};

/// F4: reading never waits for those who record, however many of them the scheduler has stopped in the middle of it.
///
/// It is our own families that are read: what a bot registered itself is gathered on threads of its own, for which the
/// scheduler has no place beside 64 busy ones.
#[test]
fn busy_writers_hold_no_scrape_up() {
    let scrapes = if full() { 1_000 } else { 20 };
    let metrics = Settings::new(Mode::Paper).build().expect("the defaults are legal");
    let operations =
        [Operation::PlaceOrder, Operation::CancelOrder, Operation::GetTicker, Operation::GetTrades];
    let exchanges = [Exchange::Binance, Exchange::Bybit, Exchange::Okx, Exchange::Kraken, Exchange::Deribit];
    let calls: Vec<_> = exchanges
        .into_iter()
        .flat_map(|exchange| operations.map(|operation| metrics.exchange_call(exchange, operation)))
        .collect();
    let done = AtomicBool::new(false);
    let mut took = Vec::new();
    let made: u64 = std::thread::scope(|scope| {
        let writer = || {
            let mut made = 0;
            while !done.load(Relaxed) {
                for (call, outcome) in
                    calls.iter().zip([Outcome::Ok, Outcome::Ok, Outcome::Timeout].iter().cycle())
                {
                    call.start().finish(*outcome);
                    made += 1;
                }
            }
            made
        };
        let writers: Vec<_> = (0..64).map(|_| scope.spawn(writer)).collect();
        for _ in 0..scrapes {
            std::thread::sleep(Duration::from_millis(5));
            let start = Instant::now();
            drop(metrics.exposition());
            took.push(start.elapsed());
        }
        done.store(true, Relaxed);
        writers.into_iter().map(|writer| writer.join().expect("it does not panic")).sum()
    });
    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    println!("p50 {:?}, p99 {p99:?} beside {made} calls", took[took.len() / 2]);
    // A time is promised of a release build on a machine of its own; the numbers are exact anywhere.
    if full() {
        assert!(p99 < Duration::from_millis(50), "{p99:?}");
    }
    let latencies = metrics.snapshot();
    let latencies =
        latencies.families.iter().find(|family| family.family.name == "exchange_api_latency_seconds");
    let counted: u64 = latencies.expect("exported").samples.iter().map(|sample| count(&sample.value)).sum();
    assert_eq!(counted, made);
}

fn count(value: &bot_metrics::Value) -> u64 {
    match value {
        bot_metrics::Value::Histogram(value) => value.count(),
        _ => 0,
    }
}

#[exchange_call(op = "get_exchange_info", exchange = "kraken")]
fn get_exchange_info() {}

/// F4: nor does a thread that was stopped while it got the memory for its share.
#[test]
fn a_thread_that_makes_its_share_holds_no_scrape_up() {
    // A fork waits for such a thread, and whatever else may not run beside a fork waits for the fork.
    let _no_forks = NO_FORKS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _metrics = &*METRICS;
    get_exchange_info();
    let joining = std::thread::spawn(|| stalling(get_exchange_info));
    while !is_stalled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (sender, scraped) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(requests("get_exchange_info", "ok")));
    let counted = scraped.recv_timeout(Duration::from_secs(20));
    release();
    joining.join().expect("it ends well");
    assert_eq!(counted, Ok(1.0), "the scrape waited");
    assert_eq!(requests("get_exchange_info", "ok"), 2.0);
}
