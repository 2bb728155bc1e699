//! What is recorded beside calls: counters, histograms and gauges of a bot's own, events, capital; each beside one
//! reading of the time stamp counter.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --bin recordings [rounds]` prints the table;
//! `… --bin recordings -- only NAME REPETITIONS` runs one row, for callgrind.

use std::hint::black_box;
use std::sync::LazyLock;

use bot_metrics::prelude::*;
use bot_metrics::{Counter, Profile, Symbol, metrics};
use bot_metrics_bench::{Contender, medians};

metrics! {
    /// Signals that a strategy gave.
    counter signals_total { subsystem: labels::Subsystem }
    /// Slippage of an order.
    histogram slippage_ratio { subsystem: labels::Subsystem } buckets(0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05)
    /// Spread between the best prices.
    gauge spread_ratio { subsystem: labels::Subsystem }
    /// Time of a call.
    histogram call_seconds buckets(0.1, 0.25, 0.5, 1, 2, 5, 10)
    /// Calls.
    counter calls_total
    /// Orders sent.
    counter orders_total { subsystem: labels::Subsystem, symbol: Symbol }
}

fn repeat(repetitions: u32, mut body: impl FnMut(u64)) {
    for n in 0..repetitions {
        body(black_box(u64::from(n)));
    }
}

#[cfg(target_arch = "x86_64")]
fn tick() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
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

#[timed(call_seconds)]
#[inline(never)]
fn timed_call(n: u64) {
    black_box(n);
}

#[counted(calls_total, on = ok)]
#[inline(never)]
fn counted_call(n: u64) {
    black_box(n);
}

static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).install().expect("one installation"));
static MAKER: LazyLock<Profile> = LazyLock::new(|| METRICS.profile("maker"));
static KEPT: LazyLock<Counter> = LazyLock::new(|| orders_total(labels::Subsystem::Monitor, "ETHUSDT"));
static PROMETHEUS: LazyLock<prometheus::IntCounterVec> = LazyLock::new(|| {
    prometheus::IntCounterVec::new(prometheus::Opts::new("orders", "sent"), &["subsystem", "symbol"])
        .expect("legal")
});
static PROMETHEUS_KEPT: LazyLock<prometheus::IntCounter> =
    LazyLock::new(|| PROMETHEUS.with_label_values(&["monitor", "ETHUSDT"]));

const FLOOR: &str = "one reading of the time stamp counter";

/// What the rows of functions are compared with.
const BARE: &str = "bare function";
const EMPTY: &str = "nothing";

/// The row that a row's cost is told beyond.
fn base(name: &str) -> &'static str {
    if name.starts_with('#') { BARE } else { EMPTY }
}

const CONTENDERS: &[Contender] = &[
    Contender { name: EMPTY, run: |n| repeat(n, |_| {}) },
    Contender { name: BARE, run: |n| repeat(n, bare) },
    Contender {
        name: FLOOR,
        run: |n| {
            repeat(n, |_| {
                black_box(tick());
            })
        },
    },
    Contender {
        name: "counter, closed labels",
        run: |n| repeat(n, |_| signals_total(labels::Subsystem::Trading).increment()),
    },
    Contender {
        name: "counter, closed label picked at run time",
        run: |n| repeat(n, |_| signals_total(black_box(labels::Subsystem::Monitor)).increment()),
    },
    Contender { name: "#[operational_event]", run: |n| repeat(n, filled) },
    Contender {
        name: "gauge, closed labels",
        run: |n| repeat(n, |_| spread_ratio(labels::Subsystem::Trading).set(black_box(0.25))),
    },
    Contender {
        name: "histogram, closed labels",
        run: |n| repeat(n, |_| slippage_ratio(labels::Subsystem::Trading).observe(black_box(0.0007))),
    },
    Contender {
        name: "counter, open label",
        run: |n| repeat(n, |_| orders_total(labels::Subsystem::Trading, black_box("BTCUSDT")).increment()),
    },
    Contender { name: "counter, open label, handle kept", run: |n| repeat(n, |_| KEPT.increment()) },
    Contender {
        name: "#[operational_event] with a symbol",
        run: |n| repeat(n, |_| placed(black_box("BTCUSDT"))),
    },
    Contender {
        name: "event with a symbol and a text",
        run: |n| {
            repeat(n, |_| {
                let event = METRICS.event(labels::Severity::Error, labels::EventType::OrderRejected);
                event.symbol(black_box("BTCUSDT")).text(black_box("insufficient margin for 0.5 BTCUSDT")).record();
            })
        },
    },
    Contender {
        name: "#[timed], sync",
        run: |n| repeat(n, timed_call),
    },
    Contender {
        name: "#[counted], on = ok",
        run: |n| repeat(n, counted_call),
    },
    Contender {
        name: "capital check",
        run: |n| {
            repeat(n, |_| {
                MAKER.update(black_box(Capital { allocated: 100.0, positions: 50.0, ..Capital::default() }));
            })
        },
    },
    Contender { name: "prometheus, kept by hand", run: |n| repeat(n, |_| PROMETHEUS_KEPT.inc()) },
    Contender {
        name: "prometheus, label look-up",
        run: |n| repeat(n, |_| PROMETHEUS.with_label_values(&["trading", black_box("BTCUSDT")]).inc()),
    },
];

fn main() {
    let _metrics = &*METRICS;
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [only, name, repetitions] = &args[..]
        && only == "only"
    {
        let contender = CONTENDERS.iter().find(|row| row.name == name).expect("a row of that name");
        (contender.run)(repetitions.parse().expect("a number"));
        return;
    }
    let rounds = args.first().map_or(31, |rounds| rounds.parse().expect("a number of rounds"));
    let one = medians(CONTENDERS, 1, rounds, 200_000);
    let two = medians(CONTENDERS, 2, rounds, 200_000);
    let at = |name: &str| CONTENDERS.iter().position(|row| row.name == name).expect("it stands in the table");
    let added = |times: &[f64], row: usize| times[row] - times[at(base(CONTENDERS[row].name))];
    println!("| what | 1 thread, ns | × one reading | 2 threads, ns |\n| --- | ---: | ---: | ---: |");
    for row in at(FLOOR)..CONTENDERS.len() {
        let (alone, both) = (added(&one, row), added(&two, row));
        let ratio = alone / added(&one, at(FLOOR));
        println!("| {} | {alone:.1} | {ratio:.2} | {both:.1} |", CONTENDERS[row].name);
    }
}
