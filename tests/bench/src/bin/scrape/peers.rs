//! Other crates, used as their documentation shows, with the default labels of this library inline.

use std::sync::LazyLock;

use bytes::Bytes;
use measured::label::{LabelValue, LabelVisitor};
use measured::metric::histogram::Thresholds;
use measured::text::BufferedTextEncoder;
use measured::{FixedCardinalityLabel, LabelGroup, MetricGroup};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use prometheus::{Encoder as _, HistogramOpts, HistogramVec, Registry, TextEncoder};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::{BOUNDS, Contender, DEFAULT, Labels, SYMBOLS};

const NAME: &str = "bytelyst_bot_order_ack_seconds";
const HELP: &str = "Time from a signal to the acknowledgement.";
const MOST_SERIES: usize = 100_000;

struct Prometheus {
    family: HistogramVec,
    registry: Registry,
}

pub(crate) fn prometheus() -> Box<dyn Contender> {
    let options = HistogramOpts::new(NAME, HELP).buckets(BOUNDS.to_vec());
    let family = HistogramVec::new(options, &["strategy", "symbol", "app", "env", "mode"]).expect("legal");
    let registry = Registry::new();
    registry.register(Box::new(family.clone())).expect("the first");
    Box::new(Prometheus { family, registry })
}

fn encoded(registry: &Registry) -> Bytes {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text).expect("legal");
    text.into()
}

impl Contender for Prometheus {
    fn name(&self) -> &'static str {
        "rust-prometheus TextEncoder"
    }

    fn observe(&self, labels: &Labels, value: f64) {
        let [app, env, mode] = DEFAULT.map(|(_, value)| value);
        let labels = [&*labels.strategy, &labels.symbol, app, env, mode];
        self.family.with_label_values(&labels).observe(value);
    }

    fn text(&self) -> Bytes {
        encoded(&self.registry)
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ClientLabels {
    strategy: String,
    symbol: String,
    app: &'static str,
    env: &'static str,
    mode: &'static str,
}

struct PrometheusClient {
    family: Family<ClientLabels, Histogram>,
    registry: prometheus_client::registry::Registry,
}

pub(crate) fn prometheus_client() -> Box<dyn Contender> {
    let family = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
    let mut registry = prometheus_client::registry::Registry::default();
    registry.register(NAME, HELP, family.clone());
    Box::new(PrometheusClient { family, registry })
}

impl Contender for PrometheusClient {
    fn name(&self) -> &'static str {
        "prometheus-client"
    }

    fn observe(&self, labels: &Labels, value: f64) {
        let [app, env, mode] = DEFAULT.map(|(_, value)| value);
        let Labels { strategy, symbol } = labels.clone();
        self.family.get_or_create(&ClientLabels { strategy, symbol, app, env, mode }).observe(value);
    }

    fn text(&self) -> Bytes {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("it encodes");
        text.into()
    }
}

/// The labels of the series with this number, as an enum with that many variants would have.
#[derive(Clone, Copy)]
struct Numbered<const SYMBOL: bool>(usize);

static TEXTS: LazyLock<Vec<Labels>> = LazyLock::new(|| (0..MOST_SERIES).map(Labels::of).collect());

impl<const SYMBOL: bool> LabelValue for Numbered<SYMBOL> {
    fn visit<V: LabelVisitor>(&self, visitor: V) -> V::Output {
        visitor.write_str(if SYMBOL { &TEXTS[self.0].symbol } else { &TEXTS[self.0 * SYMBOLS].strategy })
    }
}

impl<const SYMBOL: bool> FixedCardinalityLabel for Numbered<SYMBOL> {
    fn cardinality() -> usize {
        if SYMBOL { SYMBOLS } else { MOST_SERIES / SYMBOLS }
    }

    fn encode(&self) -> usize {
        self.0
    }

    fn decode(number: usize) -> Self {
        Self(number)
    }
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum App {
    #[label(rename = "bytelyst-trading-bot-service")]
    Bot,
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Env {
    Development,
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Mode {
    Paper,
}

#[derive(Clone, Copy, LabelGroup)]
#[label(set = MeasuredSet)]
struct MeasuredLabels {
    strategy: Numbered<false>,
    symbol: Numbered<true>,
    app: App,
    env: Env,
    mode: Mode,
}

#[derive(MetricGroup)]
struct Measured {
    #[metric(rename = "bytelyst_bot_order_ack_seconds")]
    family: measured::HistogramVec<MeasuredSet, 11>,
}

pub(crate) fn measured() -> Box<dyn Contender> {
    let _ = &*TEXTS;
    let thresholds = Thresholds::with_buckets(BOUNDS);
    let family = measured::HistogramVec::sparse_with_label_set_and_metadata(MeasuredSet::new(), thresholds);
    Box::new(Measured { family })
}

impl Contender for Measured {
    fn name(&self) -> &'static str {
        "measured"
    }

    fn observe(&self, labels: &Labels, value: f64) {
        let number = |text: &str| {
            text.bytes().filter(u8::is_ascii_digit).fold(0, |n, b| n * 10 + usize::from(b - b'0'))
        };
        let labels = MeasuredLabels {
            strategy: Numbered(number(&labels.strategy)),
            symbol: Numbered(number(&labels.symbol)),
            app: App::Bot,
            env: Env::Development,
            mode: Mode::Paper,
        };
        self.family.observe(labels, value);
    }

    fn text(&self) -> Bytes {
        let mut encoder = BufferedTextEncoder::new();
        self.collect_group_into(&mut encoder).expect("it encodes");
        encoder.finish()
    }
}

struct Exporter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

pub(crate) fn metrics() -> Box<dyn Contender> {
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS).expect("some bounds");
    let recorder =
        DEFAULT.iter().fold(builder, |builder, (name, value)| builder.add_global_label(*name, *value));
    let recorder = recorder.build_recorder();
    let handle = recorder.handle();
    Box::new(Exporter { recorder, handle })
}

impl Contender for Exporter {
    fn name(&self) -> &'static str {
        "metrics-exporter-prometheus"
    }

    fn observe(&self, labels: &Labels, value: f64) {
        let Labels { strategy, symbol } = labels.clone();
        metrics::with_local_recorder(&self.recorder, || {
            metrics::histogram!(NAME, "strategy" => strategy, "symbol" => symbol).record(value);
        });
    }

    fn text(&self) -> Bytes {
        self.handle.render().into()
    }

    /// The crate keeps every observation until its upkeep runs.
    fn settle(&self) {
        self.handle.run_upkeep();
    }
}

struct OpenTelemetry {
    _provider: SdkMeterProvider,
    family: opentelemetry::metrics::Histogram<f64>,
    registry: Registry,
}

pub(crate) fn opentelemetry() -> Box<dyn Contender> {
    let registry = Registry::new();
    let exporter =
        opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().expect("a registry");
    // The default limit is 2,000.
    let unbounded = |_: &Instrument| Stream::builder().with_cardinality_limit(MOST_SERIES + 1).build().ok();
    let provider = SdkMeterProvider::builder().with_reader(exporter).with_view(unbounded).build();
    let meter = provider.meter("scrape");
    let family =
        meter.f64_histogram("bytelyst_bot_order_ack").with_unit("s").with_boundaries(BOUNDS.to_vec()).build();
    Box::new(OpenTelemetry { _provider: provider, family, registry })
}

impl Contender for OpenTelemetry {
    fn name(&self) -> &'static str {
        "opentelemetry-prometheus"
    }

    fn observe(&self, labels: &Labels, value: f64) {
        let Labels { strategy, symbol } = labels.clone();
        let [app, env, mode] = DEFAULT.map(|(name, value)| KeyValue::new(name, value));
        let labels = [KeyValue::new("strategy", strategy), KeyValue::new("symbol", symbol), app, env, mode];
        self.family.record(value, &labels);
    }

    fn text(&self) -> Bytes {
        encoded(&self.registry)
    }
}
