//! Bytes per series of a bot's own families.

use std::sync::LazyLock;
use std::sync::mpsc::channel;

use bot_metrics::prelude::*;
use bot_metrics::{Label, LabelType, metrics};

use crate::allocator::in_use;
use crate::alone;

/// The number of values of each label.
const PAIRS: usize = 100;

struct Strategy;

impl Label for Strategy {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("strategy", 1_100);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

struct Pair;

impl Label for Pair {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("symbol", PAIRS);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

metrics! {
    /// Time from a signal to the acknowledgement.
    histogram order_ack_seconds { strategy: Strategy, symbol: Pair }
        buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10) budget = 120_000
    /// Orders.
    counter orders_total { strategy: Strategy, symbol: Pair } budget = 120_000
}

pub(crate) static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).install().expect("one installation"));

/// Creates this many series of a histogram, with distinct labels.
pub(crate) fn ack_all(series: usize) {
    let _metrics = &*METRICS;
    for n in 0..series {
        order_ack_seconds(&format!("served-{:04}", n / PAIRS), &format!("PAIR{:02}USDT", n % PAIRS))
            .observe(0.003);
    }
}

/// Bytes per series after `record` has recorded `series` of them, and the bytes that each further live thread adds.
fn cost(series: usize, record: impl Fn(&str, &str) + Sync) -> (i64, i64) {
    let labels: Vec<_> = (0..series)
        .map(|n| (format!("strategy-{series}-{:04}", n / PAIRS), format!("PAIR{:02}USDT", n % PAIRS)))
        .collect();
    let each = |bytes: i64| bytes / i64::try_from(series).expect("few");
    let record_all = || labels.iter().for_each(|(strategy, symbol)| record(strategy, symbol));
    let before = in_use();
    // Runs in a thread that has recorded nothing yet and stays alive.
    std::thread::scope(|scope| {
        let live = || {
            let (done, wait) = channel();
            let (leave, stay) = channel::<()>();
            let thread = scope.spawn(move || {
                record_all();
                done.send(()).expect("the receiver waits");
                let _ = stay.recv();
            });
            wait.recv().expect("it records");
            (leave, thread)
        };
        let first = live();
        METRICS.write_exposition(&mut std::io::sink()).expect("it takes everything");
        let resident = in_use() - before;
        // The smaller of two: memory that earlier threads gave back may be taken or freed beside one of them.
        let further = [(), ()].map(|()| {
            let before = in_use();
            let thread = live();
            (in_use() - before, thread)
        });
        let fewest = further.iter().map(|(bytes, _)| *bytes).min().unwrap_or_default();
        for (leave, thread) in further.into_iter().map(|(_, thread)| thread).chain([first]) {
            drop(leave);
            // The end of the scope would not wait until the thread has given its words back for the next test.
            thread.join().expect("no panic");
        }
        (each(resident), each(fewest))
    })
}

/// With 11 bounds, for series that have words for each thread, and with the place for exemplars; the labels are counted
/// too.
#[test]
fn a_histogram_takes_few_bytes_a_series_and_fewer_for_each_further_thread() {
    let _alone = alone();
    let _metrics = &*METRICS;
    let (resident, further) =
        cost(2_000, |strategy, symbol| order_ack_seconds(strategy, symbol).observe(0.003));
    println!("{resident} bytes, {further} for a further thread");
    assert!(resident <= 370 && further <= 180, "{resident} bytes, {further} for a further thread");
}

#[test]
fn a_counter_takes_few_bytes_a_series_and_fewer_for_each_further_thread() {
    let _alone = alone();
    let _metrics = &*METRICS;
    let (resident, further) = cost(2_000, |strategy, symbol| orders_total(strategy, symbol).increment());
    println!("{resident} bytes, {further} for a further thread");
    assert!(resident <= 240 && further <= 40, "{resident} bytes, {further} for a further thread");
}
