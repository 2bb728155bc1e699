//! One instrumented call: its cost over the bare function, beside two readings of the clock and beside peers.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --bin calls [rounds]` prints the table;
//! `… --bin calls -- only NAME REPETITIONS` runs one contender, for callgrind.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bot_metrics::prelude::*;
use bot_metrics_bench::{Contender, medians};

#[inline(never)]
fn bare(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "place_order", exchange = "binance")]
#[inline(never)]
fn exchange_call(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[timed_subsystem("trading", every = "5s")]
#[inline(never)]
fn timed_subsystem(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "get_ticker", exchange = exchange)]
#[inline(never)]
fn picked(exchange: labels::Exchange, n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "get_balances", exchange = "binance")]
#[inline(never)]
fn fails(n: u64) -> Result<u64, u64> {
    Err(black_box(n))
}

#[inline(never)]
async fn bare_async(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "cancel_order", exchange = "binance")]
async fn exchange_call_async(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

/// Polls a future that is ready at once.
#[inline(never)]
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing waits"),
    }
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

static PROMETHEUS: LazyLock<prometheus::HistogramVec> = LazyLock::new(|| {
    let options = prometheus::HistogramOpts::new("latency", "of calls");
    prometheus::HistogramVec::new(options, &["exchange", "operation"]).expect("legal")
});
static PROMETHEUS_CACHED: LazyLock<prometheus::Histogram> =
    LazyLock::new(|| PROMETHEUS.with_label_values(&["binance", "place_order"]));
static CLIENT: LazyLock<prometheus_client::metrics::histogram::Histogram> = LazyLock::new(|| {
    let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    prometheus_client::metrics::histogram::Histogram::new(bounds)
});

/// What is subtracted from the rows below it.
const BARE: &str = "bare function";
const FLOOR: &str = "two readings of the time stamp counter";

const CONTENDERS: &[Contender] = &[
    Contender {
        name: BARE,
        run: |n| {
            repeat(n, |n| {
                let _ = black_box(bare(n));
            })
        },
    },
    Contender {
        name: FLOOR,
        run: |n| {
            repeat(n, |n| {
                let start = tick();
                let _ = black_box(bare(n));
                black_box(tick().wrapping_sub(start));
            })
        },
    },
    Contender {
        name: "#[exchange_call]",
        run: |n| {
            repeat(n, |n| {
                let _ = black_box(exchange_call(n));
            })
        },
    },
    Contender {
        name: "#[timed_subsystem]",
        run: |n| {
            repeat(n, |n| {
                let _ = black_box(timed_subsystem(n));
            })
        },
    },
    Contender {
        name: "#[exchange_call], exchange picked at run time",
        run: |n| {
            repeat(n, |n| {
                let _ = black_box(picked(black_box(labels::Exchange::Okx), n));
            })
        },
    },
    Contender {
        name: "#[exchange_call] of a function that fails",
        run: |n| {
            repeat(n, |n| {
                let _ = black_box(fails(n));
            })
        },
    },
    Contender {
        name: "bare future",
        run: |n| {
            repeat(n, |n| {
                let _ = black_box(ready(bare_async(n)));
            })
        },
    },
    Contender {
        name: "#[exchange_call] of a future",
        run: |n| {
            repeat(n, |n| {
                let _ = black_box(ready(exchange_call_async(n)));
            })
        },
    },
    Contender {
        name: "two `Instant::now`",
        run: |n| {
            repeat(n, |n| {
                let start = Instant::now();
                let _ = black_box(bare(n));
                black_box(start.elapsed());
            })
        },
    },
    Contender {
        name: "rust-prometheus, cached by hand",
        run: |n| {
            repeat(n, |n| {
                let start = Instant::now();
                let _ = black_box(bare(n));
                PROMETHEUS_CACHED.observe(start.elapsed().as_secs_f64());
            })
        },
    },
    Contender {
        name: "rust-prometheus, label look-up",
        run: |n| {
            repeat(n, |n| {
                let start = Instant::now();
                let _ = black_box(bare(n));
                let histogram = PROMETHEUS.with_label_values(&["binance", "place_order"]);
                histogram.observe(start.elapsed().as_secs_f64());
            })
        },
    },
    Contender {
        name: "prometheus-client, cached by hand",
        run: |n| {
            repeat(n, |n| {
                let start = Instant::now();
                let _ = black_box(bare(n));
                CLIENT.observe(start.elapsed().as_secs_f64());
            })
        },
    },
];

fn main() -> Result<(), bot_metrics::Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [only, name, repetitions] = &arguments[..]
        && only == "only"
    {
        bot_metrics::testing::trust_time_stamps();
        let _metrics = Settings::new(Mode::Paper).install()?;
        let contender =
            CONTENDERS.iter().find(|contender| contender.name == name).expect("a row of the table");
        (contender.run)(repetitions.parse().expect("a number"));
        return Ok(());
    }
    let _metrics = Settings::new(Mode::Paper).install()?;
    let rounds = arguments.first().map_or(301, |rounds| rounds.parse().expect("a number of rounds"));
    let one = medians(CONTENDERS, 1, rounds, 20_000);
    let two = medians(CONTENDERS, 2, rounds / 5 + 1, 200_000);
    table(&one, &two);
    Ok(())
}

fn table(one: &[f64], two: &[f64]) {
    let row =
        |name| CONTENDERS.iter().position(|contender| contender.name == name).expect("a row of the table");
    let (bare, future, floor) = (row(BARE), row("bare future"), row(FLOOR));
    let floor_ns = one[floor] - one[bare];
    println!("| added to a call | 1 thread, ns | x two readings | 2 threads on one metric, ns |");
    println!("| --- | ---: | ---: | ---: |");
    for (index, contender) in CONTENDERS.iter().enumerate() {
        let base = if contender.name.contains("future") { future } else { bare };
        let (alone, shared) = (one[index] - one[base], two[index] - two[base]);
        println!("| {} | {alone:.1} | {:.2} | {shared:.1} |", contender.name, alone / floor_ns);
    }
}
