//! Exemplars, as a real Prometheus keeps them.

use std::cell::RefCell;

use bot_metrics::exemplars::{self, Exemplar};
use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::server::{Format, ServerOptions};
use bot_metrics::testing::instance;
use bot_metrics::{Metrics, Outcome};
use serde_json::Value;

use crate::Outcome as TestOutcome;
use crate::process::eventually;
use crate::prometheus::Prometheus;

thread_local! {
    static TRACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Two bots, one scraped as OpenMetrics and one as protobuf, have exemplars in their quickest and in their last bucket.
pub(crate) fn come_back() -> TestOutcome {
    exemplars::set_source(|| {
        let trace = TRACE.with_borrow(Clone::clone)?;
        Exemplar::new([("trace_id", trace)]).ok()
    })?;
    for (format, feature) in [(Format::OpenMetrics, None), (Format::Protobuf, Some("native-histograms"))] {
        let (metrics, clock) = instance();
        for (trace, seconds) in [("quick", 0.25), ("slow", 3_600.0)] {
            TRACE.set(Some(format!("{trace}-{format:?}")));
            call(&metrics, || clock.advance(std::time::Duration::from_secs_f64(seconds)));
        }
        TRACE.set(None);
        let server =
            metrics.serve_with("127.0.0.1:0", ServerOptions::new().formats([Format::Text, format]))?;
        let job =
            format!("  - {{job_name: bot, static_configs: [{{targets: ['{}']}}]}}\n", server.local_addr());
        let features: Vec<_> = feature.into_iter().chain(["exemplar-storage"]).collect();
        let prometheus = Prometheus::with_features(&job, &features)?;
        let series = eventually("it has the exemplars", || {
            let series = prometheus.exemplars("bytelyst_bot_exchange_api_latency_seconds_bucket")?;
            if series.len() < 2 { Err(format!("{series:?}")) } else { Ok(series) }
        })?;
        let mut found: Vec<_> = series.iter().filter_map(exemplar).collect();
        found.sort();
        let expected = [("quick", "0.3", "0.25"), ("slow", "+Inf", "3600")]
            .map(|(trace, bound, value)| [format!("{trace}-{format:?}"), bound.to_owned(), value.to_owned()]);
        if found != expected {
            return Err(format!("{format:?}: {found:?}, not {expected:?}: {series:?}").into());
        }
    }
    Ok(())
}

fn call(metrics: &Metrics, during: impl FnOnce()) {
    let handle = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let attempt = handle.start();
    during();
    attempt.finish(Outcome::Ok);
}

/// The trace, the bound and the value of a series' only exemplar.
fn exemplar(series: &Value) -> Option<[String; 3]> {
    let [exemplar] = series["exemplars"].as_array()?.as_slice() else { return None };
    let texts = [&exemplar["labels"]["trace_id"], &series["seriesLabels"]["le"], &exemplar["value"]];
    let [trace, bound, value] = texts.map(|text| text.as_str().map(str::to_owned));
    Some([trace?, bound?, value?])
}
