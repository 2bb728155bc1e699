//! Families with generated names, labels, HELP texts and values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::prometheus::core::{Collector, Desc};
use bot_metrics::prometheus::proto;
use bot_metrics::testing::{Samples, Series, with_manual_clock};
use bot_metrics::{Metrics, Mode, Settings};
use serde_json::{Value, json};

/// A generator of numbers, the same for the same seed.
#[derive(Debug)]
pub(crate) struct Numbers(u64);

/// Families that a bot adds.
struct Generated {
    description: Desc,
    families: Vec<proto::MetricFamily>,
}

/// What a page has to contain, one sample per line: name, labels and value.
#[derive(Debug, Default)]
pub(crate) struct Expected(String);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).expect("below the length")]
    }

    /// A text of characters that a format may escape or misread.
    fn text(&mut self) -> String {
        const CHARACTERS: [&str; 24] = [
            "a", "Z", "0", " ", "\"", "\\", "\n", "\r", "\t", "'", "#", "{", "}", ",", "=", "\\n", "\\\"",
            "ä", "\u{85}", "\u{2028}", "\u{feff}", "\u{202e}", "\u{7f}", "🦀",
        ];
        let length = self.below(12);
        (0..length).map(|_| self.one_of(&CHARACTERS)).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    fn value(&mut self) -> f64 {
        match self.below(6) {
            0 => self.one_of(&[0.0, 1.0, f64::INFINITY, 0.1, 1e300, 5e-324, 1e15, 1e16, 1e21, f64::MAX]),
            1 => self.next() as f64,
            2 => self.below(1_000_000) as f64,
            3 => self.below(1_000_000) as f64 / 1_000.0,
            _ => Some(f64::from_bits(self.next() >> 1)).filter(|value| !value.is_nan()).unwrap_or(0.5),
        }
    }
}

/// An instance with about this many label sets, and what its page has to contain.
pub(crate) fn instance(numbers: &mut Numbers, sets: usize) -> (Metrics, Expected) {
    let settings = Settings::new(Mode::Paper).app(format!("app{}", numbers.text()));
    let (settings, _) = with_manual_clock(settings.profile_limit(sets).symbol_limit(sets));
    let metrics = settings.build().expect("legal settings");
    let mut expected = Expected::default();
    let app = ["app", "env", "mode"].map(|label| (label, value_of(&metrics, label)));
    for set in 0..sets / 4 {
        // A text is no number, so that none is "other".
        let (profile, symbol) = (format!("{set}{}", numbers.text()), format!("{set}{}", numbers.text()));
        let event = metrics.event(Severity::Info, EventType::OrderPlaced).profile(&profile).symbol(&symbol);
        let count = numbers.below(1 << 60) + 1;
        event.count(count).record();
        let mut labels =
            json!({"severity": "INFO", "type": "ORDER_PLACED", "profile_id": profile, "symbol": symbol});
        for (label, text) in &app {
            labels[*label] = json!(text);
        }
        expected.add("bytelyst_bot_operational_events_total", &labels, count);
    }
    let families = (sets / 4..sets).map(|set| family(numbers, set, &mut expected)).collect();
    let description =
        Desc::new("generated".to_owned(), "Any.".to_owned(), Vec::new(), [].into()).expect("legal");
    metrics.register(Box::new(Generated { description, families })).expect("a new name");
    (metrics, expected)
}

fn value_of(metrics: &Metrics, label: &str) -> String {
    let samples = Samples::of(metrics);
    let (series, _) = samples.iter().next().expect("there is a series");
    series.labels[label].clone()
}

fn family(numbers: &mut Numbers, set: usize, expected: &mut Expected) -> proto::MetricFamily {
    let suffix = numbers.one_of(&["", "_seconds", "_bytes", ":rate", "_Ab9", "_ratio"]);
    let kind = numbers.below(4);
    let name = format!("g{set}{suffix}{}", if kind == 0 { "_total" } else { "" });
    let mut family = proto::MetricFamily::default();
    family.set_name(name.clone());
    family.set_help(format!("h{}.", numbers.text()));
    let count = numbers.below(4);
    let values: Vec<_> =
        (0..count).map(|index| (format!("l{index}"), format!("{}.", numbers.text()))).collect();
    let labels: Value = values
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let pair = |(name, value): &(String, String)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name(name.clone());
        pair.set_value(value.clone());
        pair
    };
    let mut metric = proto::Metric::from_label(values.iter().map(pair).collect());
    match kind {
        0 => {
            let value = Some(numbers.value()).filter(|value| value.is_finite()).unwrap_or(7.0);
            let mut counter = proto::Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
            family.set_field_type(proto::MetricType::COUNTER);
            expected.add(&name, &labels, format!("{value:?}"));
        }
        1 => {
            let value = numbers.one_of(&[1.0, -1.0]) * numbers.value();
            let mut gauge = proto::Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
            family.set_field_type(proto::MetricType::GAUGE);
            expected.add(&name, &labels, format!("{value:?}"));
        }
        2 => {
            metric.set_histogram(histogram(numbers, &name, &labels, expected));
            family.set_field_type(proto::MetricType::HISTOGRAM);
        }
        _ => {
            let mut quantile = proto::Quantile::default();
            quantile.set_quantile(numbers.one_of(&[0.0, 0.5, 0.99, 1.0]));
            quantile.set_value(numbers.value());
            let mut summary = proto::Summary::default();
            summary.set_sample_count(numbers.below(1 << 50));
            summary.set_sample_sum(Some(numbers.value()).filter(|sum| sum.is_finite()).unwrap_or(7.0));
            expected.add(&format!("{name}_sum"), &labels, format!("{:?}", summary.sample_sum()));
            expected.add(&format!("{name}_count"), &labels, summary.sample_count());
            let with_quantile = with(&labels, "quantile", quantile.quantile());
            expected.add(&name, &with_quantile, format!("{:?}", quantile.value()));
            summary.set_quantile(vec![quantile]);
            metric.set_summary(summary);
            family.set_field_type(proto::MetricType::SUMMARY);
        }
    }
    family.set_metric(vec![metric]);
    family
}

fn histogram(numbers: &mut Numbers, name: &str, labels: &Value, expected: &mut Expected) -> proto::Histogram {
    let mut bounds: Vec<f64> =
        (0..numbers.below(6)).map(|_| numbers.value()).filter(|bound| bound.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let mut count = 0;
    let mut buckets = Vec::new();
    for bound in bounds {
        count += numbers.below(1 << 40);
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        buckets.push(bucket);
        expected.add(&format!("{name}_bucket"), &with(labels, "le", bound), count);
    }
    let sum = Some(numbers.value()).filter(|sum| sum.is_finite()).unwrap_or(7.0);
    expected.add(&format!("{name}_bucket"), &with(labels, "le", f64::INFINITY), count);
    expected.add(&format!("{name}_sum"), labels, format!("{sum:?}"));
    expected.add(&format!("{name}_count"), labels, count);
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets);
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    histogram
}

/// The labels with a bound.
fn with(labels: &Value, label: &str, bound: f64) -> Value {
    let mut labels = labels.clone();
    labels[label] = json!(format!("{bound:?}"));
    labels
}

impl Expected {
    fn add(&mut self, name: &str, labels: &Value, value: impl Into<Value>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{}", json!([name, labels, value.into()]));
    }

    /// The first sample that is missing among `samples`, or is another there. Bounds are compared as numbers.
    pub(crate) fn missing_in(&self, samples: &Samples) -> Option<String> {
        let found: BTreeMap<_, _> =
            samples.iter().map(|(series, value)| (comparable(series), value)).collect();
        self.0.lines().map(str::to_owned).find(|line| {
            let (name, labels, value): (String, BTreeMap<String, String>, Value) =
                serde_json::from_str(line).expect("it was written here");
            let value = value.as_str().map_or_else(|| value.as_f64(), |text| text.parse().ok());
            found.get(&comparable(&Series { name, labels })).copied() != value
        })
    }

    /// One JSON array per line.
    pub(crate) fn lines(&self) -> &str {
        &self.0
    }
}

/// A series whose bounds are spelled in one way.
fn comparable(series: &Series) -> Series {
    let mut series = series.clone();
    spell_bounds(&mut series.labels);
    series
}

/// Spells the bounds of buckets and quantiles in one way.
pub(crate) fn spell_bounds(labels: &mut BTreeMap<String, String>) {
    for bound in ["le", "quantile"] {
        if let Some(Ok(number)) = labels.get(bound).map(|bound| bound.parse::<f64>()) {
            labels.insert(bound.to_owned(), format!("{number:?}"));
        }
    }
}

impl Collector for Generated {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.description]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        self.families.clone()
    }
}
