//! metrics with metrics-exporter-prometheus: its macros, or handles kept by hand.

use std::sync::LazyLock;
use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::{BOUNDS, timed};
use crate::{Contender, contender};

struct Kept {
    seconds: Histogram,
    outcomes: [Counter; 2],
}

static KEPT: LazyLock<[Kept; 2]> = LazyLock::new(|| {
    ["binance", "bybit"].map(|exchange| Kept {
        seconds: histogram!("seconds", "exchange" => exchange, "operation" => "place_order"),
        outcomes: ["ok", "error"].map(|outcome| {
            counter!("calls_total", "exchange" => exchange, "operation" => "place_order", "outcome" => outcome)
        }),
    })
});

fn kept(kept: usize, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let kept = &KEPT[kept];
        kept.seconds.record(duration);
        kept.outcomes[usize::from(failed)].increment(1);
    })
}

/// Labels that are all literals are the macros' quickest form.
macro_rules! by_macro {
    ($exchange:literal, $n:expr) => {
        timed($n, |duration, failed| {
            histogram!("seconds", "exchange" => $exchange, "operation" => "place_order").record(duration);
            let calls = if failed {
                counter!("calls_total", "exchange" => $exchange, "operation" => "place_order", "outcome" => "error")
            } else {
                counter!("calls_total", "exchange" => $exchange, "operation" => "place_order", "outcome" => "ok")
            };
            calls.increment(1);
        })
    };
}

/// The recorder, and the upkeep that it asks for: without it every observation stays in memory.
fn install() {
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS).expect("some bounds");
    let handle = builder.install_recorder().expect("the first recorder");
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            handle.run_upkeep();
        }
    });
}

pub(super) fn contenders() -> Vec<Contender> {
    install();
    vec![
        contender!("metrics + exporter, kept by hand", Function, |n| kept(0, n), kept(1, n)),
        contender!(
            "metrics + exporter, macros",
            Function,
            |n| by_macro!("binance", n),
            by_macro!("bybit", n)
        ),
    ]
}
