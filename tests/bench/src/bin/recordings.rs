//! Measures recordings other than calls: a bot's own counters, histograms and gauges, events and capital, each
//! compared with one read of the time stamp counter.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --bin recordings [rounds]` prints the table, and a
//! second one with the slowest single recordings, with and without concurrent scrapes;
//! `… --bin recordings -- only NAME REPETITIONS` runs one row, for callgrind.

use std::hint::black_box;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;
use bot_metrics::{Counter, ProfileHandle, Symbol, metrics};
use bot_metrics_bench::{Contender, Labels, contender, medians};

metrics! {
    /// Signals that a strategy gave.
    counter signals_total { subsystem: labels::Subsystem }
    /// Slippage of an order.
    histogram slippage_ratio { subsystem: labels::Subsystem } buckets(0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05)
    /// Spread between the best prices.
    gauge spread_ratio { subsystem: labels::Subsystem }
    /// Time of a call.
    histogram body_seconds buckets(0.1, 0.25, 0.5, 1, 2, 5, 10)
    /// Calls.
    counter bodies_total
    /// Orders sent.
    counter orders_total { subsystem: labels::Subsystem, symbol: Symbol }
    /// Histograms that are scraped while other metrics record.
    histogram order_ack_seconds { symbol: Symbol } buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
}

#[cfg(target_arch = "x86_64")]
fn tick() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it accesses no memory.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn tick() -> u64 {
    0
}

#[inline(never)]
fn bare(n: u64) {
    black_box(n);
}

#[operational_event(type = "ORDER_FILLED", severity = "INFO")]
#[inline(never)]
fn filled(n: u64) {
    black_box(n);
}

#[operational_event(type = "ORDER_PLACED", severity = "INFO", symbol = symbol)]
#[inline(never)]
fn placed(symbol: &str) {
    black_box(symbol);
}

#[timed(body_seconds)]
#[inline(never)]
fn timed_call(n: u64) {
    black_box(n);
}

#[counted(bodies_total, on = ok)]
#[inline(never)]
fn counted_call(n: u64) {
    black_box(n);
}

static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).install().expect("one installation"));
static MAKER: LazyLock<ProfileHandle> = LazyLock::new(|| METRICS.profile("maker"));
static KEPT: LazyLock<Counter> = LazyLock::new(|| orders_total(labels::Subsystem::Monitor, "ETHUSDT"));

const FLOOR: &str = "one reading of the time stamp counter";

/// The row with which the rows of functions are compared.
const BARE: &str = "bare function";
const EMPTY: &str = "nothing";

/// The row that is subtracted from a row's cost.
fn base(name: &str) -> &'static str {
    if name.starts_with('#') { BARE } else { EMPTY }
}

const TRADING: labels::Subsystem = labels::Subsystem::Trading;
const MONITOR: labels::Subsystem = labels::Subsystem::Monitor;

fn rejected(symbol: &str) {
    let event = METRICS.event(labels::Severity::Error, labels::EventType::OrderRejected);
    event.symbol(symbol).text(black_box("insufficient margin for 0.5 BTCUSDT")).record();
}

fn check_capital() {
    MAKER.update(black_box(Capital { allocated: 100.0, positions: 50.0, ..Capital::default() }));
}

/// The second of two expressions uses another label set; it is used only by rows that have one.
const CONTENDERS: &[Contender] = &[
    contender!(EMPTY, Function, |n| n, n),
    contender!(BARE, Function, |n| bare(n), bare(n)),
    contender!(FLOOR, Function, |_n| tick(), tick()),
    contender!(
        "counter, closed labels",
        Function,
        |_n| signals_total(TRADING).increment(),
        signals_total(MONITOR).increment()
    ),
    contender!(
        "counter, closed label picked at run time",
        Function,
        |_n| signals_total(black_box(TRADING)).increment(),
        signals_total(black_box(MONITOR)).increment()
    ),
    contender!("#[operational_event]", Function, |n| filled(n), filled(n)),
    contender!("#[counted(…, on = ok)]", Function, |n| counted_call(n), counted_call(n)),
    contender!("#[timed]", Function, |n| timed_call(n), timed_call(n)),
    contender!(
        "gauge, closed labels",
        Function,
        |_n| spread_ratio(TRADING).set(black_box(0.25)),
        spread_ratio(MONITOR).set(black_box(0.25))
    ),
    contender!(
        "histogram, closed labels",
        Function,
        |_n| slippage_ratio(TRADING).observe(black_box(0.0007)),
        slippage_ratio(MONITOR).observe(black_box(0.0007))
    ),
    contender!(
        "counter, open label",
        Function,
        |_n| orders_total(TRADING, black_box("BTCUSDT")).increment(),
        orders_total(TRADING, black_box("ETHUSDT")).increment()
    ),
    contender!("counter, open label, handle kept", Function, |_n| KEPT.increment(), KEPT.increment()),
    contender!(
        "#[operational_event] with a symbol",
        Function,
        |_n| placed(black_box("BTCUSDT")),
        placed(black_box("ETHUSDT"))
    ),
    contender!(
        "event with a symbol and a text",
        Function,
        |_n| rejected(black_box("BTCUSDT")),
        rejected(black_box("ETHUSDT"))
    ),
    contender!("capital check", Function, |_n| check_capital(), check_capital()),
];

fn main() {
    let _metrics = &*METRICS;
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [only, name, repetitions] = &args[..]
        && only == "only"
    {
        let contender = CONTENDERS.iter().find(|row| row.name == name).expect("a row of that name");
        (contender.run[0])(repetitions.parse().expect("a number"));
        return;
    }
    let rounds = args.first().map_or(31, |rounds| rounds.parse().expect("a number of rounds"));
    let one = medians(CONTENDERS, 1, Labels::Same, rounds, 50_000);
    let two = medians(CONTENDERS, 2, Labels::Same, rounds, 50_000);
    let at = |name: &str| CONTENDERS.iter().position(|row| row.name == name).expect("it stands in the table");
    let added = |times: &[f64], row: usize| times[row] - times[at(base(CONTENDERS[row].name))];
    println!(
        "| what | 1 thread, ns | × one reading | 2 threads on one series, ns |\n| --- | ---: | ---: | ---: |"
    );
    for row in at(FLOOR)..CONTENDERS.len() {
        let (alone, both) = (added(&one, row), added(&two, row));
        let ratio = alone / added(&one, at(FLOOR));
        println!("| {} | {alone:.1} | {ratio:.2} | {both:.1} |", CONTENDERS[row].name);
    }
    beside_scrapes(rounds);
}

/// The reported percentiles of the time of single recordings.
const PERCENTILES: [f64; 3] = [0.5, 0.99, 0.999];

/// Times single recordings, alternately without and with a thread that does nothing but scrape.
fn beside_scrapes(rounds: usize) {
    const RECORDINGS: [(&str, fn()); 4] = [
        ("nothing", || ()),
        ("counter, closed labels", || signals_total(TRADING).increment()),
        ("histogram, closed labels", || slippage_ratio(TRADING).observe(black_box(0.0007))),
        ("#[timed]", || timed_call(black_box(1))),
    ];
    for n in 0..200 {
        order_ack_seconds(&format!("{n}USDT")).observe(0.003);
    }
    println!(
        "\n| one recording, two readings of the counter included | quiet p50, ns | p99 | p99.9 | beside scrapes p50 | p99 \
         | p99.9 | × quiet p99.9 |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for (name, record) in RECORDINGS {
        let mut times = [const { [const { Vec::new() }; 3] }; 2];
        for _ in 0..rounds {
            for (scrapes, times) in times.iter_mut().enumerate() {
                for (times, time) in times.iter_mut().zip(percentiles(record, scrapes == 1)) {
                    times.push(time);
                }
            }
        }
        let [quiet, scraped] = times.map(|times| times.map(median));
        print!("| {name} |");
        for time in quiet.iter().chain(&scraped) {
            print!(" {time:.1} |");
        }
        println!(" {:.2} |", scraped[2] / quiet[2]);
    }
}

/// The percentiles, in nanoseconds.
fn percentiles(record: fn(), scrapes: bool) -> [f64; 3] {
    const COUNT: usize = 100_000;
    let done = AtomicBool::new(!scrapes);
    let (mut times, ns) = (Vec::with_capacity(COUNT), ns_of_a_tick());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                METRICS.write_exposition(&mut std::io::sink()).expect("it takes everything");
            }
        });
        for _ in 0..COUNT {
            let start = tick();
            record();
            times.push(tick().wrapping_sub(start));
        }
        done.store(true, Relaxed);
    });
    times.sort_unstable();
    PERCENTILES.map(|part| times[(COUNT as f64 * part) as usize] as f64 * ns)
}

fn ns_of_a_tick() -> f64 {
    static NS: LazyLock<f64> = LazyLock::new(|| {
        let (start, began) = (tick(), Instant::now());
        std::thread::sleep(Duration::from_millis(50));
        let took = began.elapsed();
        took.as_nanos() as f64 / (tick() - start).max(1) as f64
    });
    *NS
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
