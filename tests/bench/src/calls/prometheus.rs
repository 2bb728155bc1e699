//! prometheus: label values looked up at each call, or metrics kept by hand.

use std::sync::LazyLock;

use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};

use super::{BOUNDS, timed};
use crate::{Contender, contender};

static SECONDS: LazyLock<HistogramVec> = LazyLock::new(|| {
    let options = HistogramOpts::new("seconds", "of calls").buckets(BOUNDS.to_vec());
    prometheus::register_histogram_vec!(options, &["exchange", "operation"]).expect("legal")
});
static CALLS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    let options = Opts::new("calls_total", "by outcome");
    prometheus::register_int_counter_vec!(options, &["exchange", "operation", "outcome"]).expect("legal")
});

struct Kept {
    seconds: prometheus::Histogram,
    outcomes: [IntCounter; 2],
}

static KEPT: LazyLock<[Kept; 2]> = LazyLock::new(|| {
    ["binance", "bybit"].map(|exchange| Kept {
        seconds: SECONDS.with_label_values(&[exchange, "place_order"]),
        outcomes: ["ok", "error"].map(|outcome| CALLS.with_label_values(&[exchange, "place_order", outcome])),
    })
});

fn kept(kept: usize, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let kept = &KEPT[kept];
        kept.seconds.observe(duration.as_secs_f64());
        kept.outcomes[usize::from(failed)].inc();
    })
}

fn looked_up(exchange: &str, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        SECONDS.with_label_values(&[exchange, "place_order"]).observe(duration.as_secs_f64());
        let outcome = if failed { "error" } else { "ok" };
        CALLS.with_label_values(&[exchange, "place_order", outcome]).inc();
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!("prometheus, kept by hand", Function, |n| kept(0, n), kept(1, n)),
        contender!(
            "prometheus, labels looked up",
            Function,
            |n| looked_up("binance", n),
            looked_up("bybit", n)
        ),
    ]
}
