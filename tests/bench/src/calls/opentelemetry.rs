//! opentelemetry with opentelemetry-prometheus: attributes at each call, or instruments bound to them.

use std::sync::LazyLock;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::{BOUNDS, timed};
use crate::{Contender, contender};

static PROVIDER: LazyLock<SdkMeterProvider> = LazyLock::new(|| {
    let exporter = opentelemetry_prometheus::exporter().build().expect("a free name");
    SdkMeterProvider::builder().with_reader(exporter).build()
});
static METER: LazyLock<Meter> = LazyLock::new(|| PROVIDER.meter("calls"));
static SECONDS: LazyLock<Histogram<f64>> =
    LazyLock::new(|| METER.f64_histogram("seconds").with_boundaries(BOUNDS.to_vec()).build());
static CALLS: LazyLock<Counter<u64>> = LazyLock::new(|| METER.u64_counter("calls").build());

struct Bound {
    seconds: BoundHistogram<f64>,
    outcomes: [BoundCounter<u64>; 2],
}

static BOUND: LazyLock<[Bound; 2]> = LazyLock::new(|| {
    ["binance", "bybit"].map(|exchange| {
        let labels = [KeyValue::new("exchange", exchange), KeyValue::new("operation", "place_order")];
        let outcomes = ["ok", "error"].map(|outcome| {
            let [exchange, operation] = labels.clone();
            CALLS.bind(&[exchange, operation, KeyValue::new("outcome", outcome)])
        });
        Bound { seconds: SECONDS.bind(&labels), outcomes }
    })
});

fn bound(bound: usize, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let bound = &BOUND[bound];
        bound.seconds.record(duration.as_secs_f64());
        bound.outcomes[usize::from(failed)].add(1);
    })
}

fn with_attributes(exchange: &'static str, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let labels = [KeyValue::new("exchange", exchange), KeyValue::new("operation", "place_order")];
        SECONDS.record(duration.as_secs_f64(), &labels);
        let [exchange, operation] = labels;
        let outcome = KeyValue::new("outcome", if failed { "error" } else { "ok" });
        CALLS.add(1, &[exchange, operation, outcome]);
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!("opentelemetry, bound instruments", Function, |n| bound(0, n), bound(1, n)),
        contender!(
            "opentelemetry, attributes",
            Function,
            |n| with_attributes("binance", n),
            with_attributes("bybit", n),
        ),
    ]
}
