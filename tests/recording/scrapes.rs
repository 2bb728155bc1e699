use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bot_metrics::catalogue::EXCHANGE_API_LATENCY_SECONDS;
use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;
use bot_metrics::{HistogramValue, Snapshot, Symbol, Value, metrics};

use crate::allocator::{is_stalled, release, stalling};
use crate::{METRICS, NO_FORKS, full, requests};

/// The number of concurrent writers, on any number of cores.
const WRITERS: usize = 64;

/// Lets [`WRITERS`] threads call `record`, which returns the number of recordings, while `scrape` is called. Returns the
/// number of recordings and the durations of the scrapes.
fn beside_writers(record: impl Fn() -> u64 + Sync, mut scrape: impl FnMut()) -> (u64, Vec<Duration>) {
    // The short version limits no duration, and each scrape waits for its turn among the writers.
    let scrapes = if full() { 1_000 } else { 5 };
    let done = AtomicBool::new(false);
    let mut took = Vec::with_capacity(scrapes);
    let made = std::thread::scope(|scope| {
        let writer = || {
            let mut made = 0;
            while !done.load(Relaxed) {
                made += record();
            }
            made
        };
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(writer)).collect();
        for _ in 0..scrapes {
            std::thread::sleep(Duration::from_millis(5));
            let start = Instant::now();
            scrape();
            took.push(start.elapsed());
        }
        done.store(true, Relaxed);
        writers.into_iter().map(|writer| writer.join().expect("it does not panic")).sum()
    });
    (made, took)
}

/// The time limit applies to a release build on an otherwise idle machine.
fn judge(made: u64, mut took: Vec<Duration>) {
    took.sort_unstable();
    let of_100 = |n: usize| took[(took.len() * n / 100).min(took.len() - 1)];
    let (p50, p99, longest) = (of_100(50), of_100(99), of_100(100));
    println!(
        "{} scrapes beside {WRITERS} writers of {made} recordings: p50 {p50:?}, p99 {p99:?}, longest {longest:?}",
        took.len()
    );
    if full() {
        assert!(p99 < Duration::from_millis(50), "{p99:?}");
    }
}

/// F4: reading never waits for threads that record, even if the scheduler has stopped many of them while recording.
///
/// Only the library's own families are read: foreign collectors are gathered on separate threads, to which the
/// scheduler gives no time beside 64 busy ones.
#[test]
fn busy_writers_delay_no_scrape() {
    let metrics = Settings::new(Mode::Paper).build().expect("the defaults are legal");
    let calls = twenty_calls(&metrics);
    let record = || {
        for (call, outcome) in calls.iter().zip([Outcome::Ok, Outcome::Ok, Outcome::Timeout].iter().cycle()) {
            call.start().finish(*outcome);
        }
        20
    };
    let (made, took) = beside_writers(record, || drop(metrics.exposition()));
    judge(made, took);
    assert_eq!(latencies(&metrics.snapshot()).map(|(_, value)| value.count()).sum::<u64>(), made);
}

fn twenty_calls(metrics: &Metrics) -> Vec<bot_metrics::ExchangeCallHandle> {
    let operations =
        [Operation::PlaceOrder, Operation::CancelOrder, Operation::GetTicker, Operation::GetTrades];
    let exchanges = [Exchange::Binance, Exchange::Bybit, Exchange::Okx, Exchange::Kraken, Exchange::Deribit];
    let calls = exchanges
        .into_iter()
        .flat_map(|exchange| operations.map(|operation| metrics.exchange_call(exchange, operation)));
    calls.collect()
}

/// The histograms of calls, by exchange and operation.
fn latencies(snapshot: &Snapshot) -> impl Iterator<Item = (&[Cow<'static, str>], &HistogramValue)> {
    samples(snapshot, "exchange_api_latency_seconds").map(|(labels, value)| match value {
        Value::Histogram(value) => (labels, value),
        other => panic!("{labels:?}: no histogram: {other:?}"),
    })
}

fn samples<'a>(
    snapshot: &'a Snapshot,
    family: &str,
) -> impl Iterator<Item = (&'a [Cow<'static, str>], &'a Value)> {
    let family = snapshot.families.iter().find(|known| known.family.name == family).expect("exported");
    family.samples.iter().map(|sample| (&*sample.labels, &sample.value))
}

metrics! {
    /// Sizes observed by busy writers.
    histogram busy_size { symbol: Symbol } buckets(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
}

/// F4 for a bot's own families.
#[test]
fn busy_writers_of_own_histograms_delay_no_scrape() {
    let _metrics = &*METRICS;
    let symbols: Vec<String> = (0..20).map(|n| format!("BUSY{n}")).collect();
    let record = || {
        for (size, symbol) in (1_u32..).zip(&symbols) {
            busy_size(symbol).observe(f64::from(size * size));
        }
        20
    };
    let (made, took) = beside_writers(record, || drop(METRICS.exposition()));
    judge(made, took);
    let samples = Samples::of(&METRICS);
    assert_eq!(samples.sum("bytelyst_bot_busy_size_count", &[]), float(made));
    let squares: u32 = (1..=20).map(|size| size * size).sum();
    assert_eq!(samples.sum("bytelyst_bot_busy_size_sum", &[]), float(made) / 20.0 * f64::from(squares));
}

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn float(recordings: u64) -> f64 {
    recordings as f64
}

/// F3 for whole scrapes: during recordings no number falls, a histogram's sum is possible for its buckets, and its
/// count is that of all outcomes.
#[test]
fn in_no_scrape_a_number_has_fallen_or_contradicts_another() {
    let metrics = Settings::new(Mode::Paper).build().expect("the defaults are legal");
    let calls: Vec<_> = twenty_calls(&metrics).into_iter().step_by(5).collect();
    let done = AtomicBool::new(false);
    let scrapes = if full() { 1_000_000 } else { 300 };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let writer = || {
            while !done.load(Relaxed) {
                for n in 0..1_000 {
                    for (call, outcome) in calls.iter().zip([Outcome::Ok, Outcome::Error].iter().cycle()) {
                        let attempt = call.start();
                        if n == 0 {
                            // Above the first bucket's bound.
                            std::thread::sleep(Duration::from_millis(6));
                        }
                        attempt.finish(*outcome);
                    }
                }
            }
        };
        (0..4).for_each(|_| drop(scope.spawn(writer)));
        let mut before = metrics.snapshot();
        for _ in 0..scrapes {
            let now = metrics.snapshot();
            latencies(&now).zip(latencies(&before)).for_each(|((labels, now), (_, before))| {
                assert!(have_grown(before, now), "{labels:?}: {now:?} after {before:?}");
                assert!(sum_is_the_buckets(now), "{labels:?}: {now:?}");
            });
            agree_on_the_number(&now);
            before = now;
        }
        done.store(true, Relaxed);
    });
    let made: u64 = latencies(&metrics.snapshot()).map(|(_, value)| value.count()).sum();
    println!("{scrapes} scrapes beside {made} recordings, {:?}", begun.elapsed());
}

fn have_grown(before: &HistogramValue, now: &HistogramValue) -> bool {
    before.sum() <= now.sum() && before.cumulative().zip(now.cumulative()).all(|(before, now)| before <= now)
}

fn sum_is_the_buckets(value: &HistogramValue) -> bool {
    let bounds = EXCHANGE_API_LATENCY_SECONDS.buckets.iter().copied().chain([f64::INFINITY]);
    let (mut lower, mut below, mut least, mut most) = (0.0, 0, 0.0, 0.0);
    for (bound, cumulative) in bounds.zip(value.cumulative()) {
        if cumulative > below {
            least += lower * float(cumulative - below);
            most += bound * float(cumulative - below);
        }
        (lower, below) = (bound, cumulative);
    }
    // Allows for the rounding of ticks.
    least * 0.999_999 <= value.sum() && value.sum() <= most * 1.000_001
}

/// Asserts that the histogram and the outcomes of a scrape have the same number of attempts.
fn agree_on_the_number(snapshot: &Snapshot) {
    let mut ended: Vec<_> = latencies(snapshot).map(|(labels, value)| (labels, value.count())).collect();
    for (labels, requests) in samples(snapshot, "exchange_api_requests_total") {
        let Value::Counter(requests) = requests else { panic!("no counter: {requests:?}") };
        let (_, ended) = ended.iter_mut().find(|(of, _)| *of == &labels[..2]).expect("both are exported");
        *ended = ended.wrapping_sub(*requests);
    }
    assert!(ended.iter().all(|(_, more)| *more == 0), "more than there are outcomes: {ended:?}");
}

#[exchange_call(op = "get_exchange_info", exchange = "kraken")]
fn get_exchange_info() {}

/// F4: neither does a thread that was stopped while it allocated its shard.
#[test]
fn a_thread_that_creates_its_shard_delays_no_scrape() {
    // A fork waits for such a thread, and every test that must not run concurrently with a fork waits for the fork.
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
