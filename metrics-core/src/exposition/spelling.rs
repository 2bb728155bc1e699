//! A foreign family in the text format.

use std::collections::HashSet;

use prometheus::proto::{self, MetricType};

use super::conformance::{Fault, SeriesLabels, check};
use crate::catalogue::Kind;
use crate::exposition::text::{write_help, write_integer, write_label, write_number};

/// An encoded foreign family. Several collectors may each contribute a part.
#[derive(Debug)]
pub(super) struct ForeignFamily {
    pub(super) name: String,
    kind: MetricType,
    help: String,
    series: HashSet<SeriesLabels>,
    samples: String,
}

impl ForeignFamily {
    /// Encodes a family that may be served. `now_ms` is the Unix time in milliseconds.
    pub(super) fn spell(family: &proto::MetricFamily, now_ms: i64) -> Result<Self, Fault> {
        let series = check(family, now_ms)?;
        let mut samples = String::new();
        let lines = Lines { name: family.name(), kind: family.get_field_type() };
        for metric in family.get_metric() {
            lines.write(&mut samples, metric);
        }
        Ok(Self {
            name: lines.name.to_owned(),
            kind: lines.kind,
            help: family.help().to_owned(),
            series,
            samples,
        })
    }

    /// The names of its samples, including suffixes, and its own.
    pub(super) fn sample_names(&self) -> Vec<String> {
        sample_names(&self.name, suffixes(self.kind))
    }

    /// Adds the series of another part of the family. The help text of the first part is kept.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), Fault> {
        if self.kind != other.kind {
            return Err(Fault::OtherType);
        }
        if !self.series.is_disjoint(&other.series) {
            return Err(Fault::SeriesTwice);
        }
        self.series.extend(other.series);
        self.samples.push_str(&other.samples);
        Ok(())
    }

    pub(super) fn into_text(self) -> String {
        let mut text = String::with_capacity(self.samples.len() + self.help.len() + 2 * self.name.len() + 32);
        if !self.help.is_empty() {
            write_help(&mut text, &self.name, &self.help);
        }
        for part in ["# TYPE ", &self.name, " ", type_name(self.kind), "\n", &self.samples] {
            text.push_str(part);
        }
        text
    }
}

/// The names of a family's samples, including suffixes, and its own.
pub(super) fn sample_names(name: &str, suffixes: &[&str]) -> Vec<String> {
    suffixes.iter().chain(&[""]).map(|suffix| format!("{name}{suffix}")).collect()
}

fn suffixes(kind: MetricType) -> &'static [&'static str] {
    match kind {
        MetricType::HISTOGRAM => Kind::Histogram.suffixes(),
        MetricType::SUMMARY => &["_sum", "_count"],
        MetricType::COUNTER | MetricType::GAUGE | MetricType::UNTYPED => &[],
    }
}

fn type_name(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::UNTYPED => "untyped",
    }
}

/// Writes the samples of one family.
struct Lines<'a> {
    name: &'a str,
    kind: MetricType,
}

impl Lines<'_> {
    fn write(&self, text: &mut String, metric: &proto::Metric) {
        match self.kind {
            MetricType::COUNTER => self.number(text, metric, "", metric.get_counter().get_value()),
            MetricType::GAUGE => self.number(text, metric, "", metric.get_gauge().get_value()),
            MetricType::HISTOGRAM => self.histogram(text, metric),
            MetricType::SUMMARY => self.summary(text, metric),
            // Rejected by the check.
            MetricType::UNTYPED => {}
        }
    }

    fn histogram(&self, text: &mut String, metric: &proto::Metric) {
        let histogram = metric.get_histogram();
        // The bucket for +Inf is optional; its value is the count.
        let finite = histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound() != f64::INFINITY);
        for bucket in finite {
            self.bound(text, metric, ("_bucket", "le"), bucket.upper_bound());
            Self::end_integer(text, metric, bucket.cumulative_count());
        }
        self.bound(text, metric, ("_bucket", "le"), f64::INFINITY);
        Self::end_integer(text, metric, histogram.get_sample_count());
        self.number(text, metric, "_sum", histogram.get_sample_sum());
        self.start(text, metric, "_count", None);
        Self::end_integer(text, metric, histogram.get_sample_count());
    }

    fn summary(&self, text: &mut String, metric: &proto::Metric) {
        let summary = metric.get_summary();
        for quantile in summary.get_quantile() {
            self.bound(text, metric, ("", "quantile"), quantile.quantile());
            Self::end_number(text, metric, quantile.value());
        }
        self.number(text, metric, "_sum", summary.sample_sum());
        self.start(text, metric, "_count", None);
        Self::end_integer(text, metric, summary.sample_count());
    }

    fn number(&self, text: &mut String, metric: &proto::Metric, suffix: &str, value: f64) {
        self.start(text, metric, suffix, None);
        Self::end_number(text, metric, value);
    }

    /// Writes a line up to its value, with a bound as its last label.
    fn bound(&self, text: &mut String, metric: &proto::Metric, (suffix, label): (&str, &str), bound: f64) {
        let mut value = String::new();
        // Without the sign of a negative zero.
        write_number(&mut value, bound + 0.0);
        self.start(text, metric, suffix, Some((label, &value)));
    }

    /// Writes a line up to its value. Without labels it has no braces.
    fn start(&self, text: &mut String, metric: &proto::Metric, suffix: &str, last: Option<(&str, &str)>) {
        text.push_str(self.name);
        text.push_str(suffix);
        let pairs = metric.get_label().iter().map(|pair| (pair.name(), pair.value()));
        let before = text.len();
        for (name, value) in pairs.chain(last) {
            text.push_str(if text.len() == before { "{" } else { "" });
            write_label(text, name, value);
        }
        if text.len() > before {
            // The comma after the last label is legal, but other clients do not write it.
            text.pop();
            text.push('}');
        }
        text.push(' ');
    }

    fn end_number(text: &mut String, metric: &proto::Metric, value: f64) {
        write_number(text, value);
        Self::end(text, metric);
    }

    fn end_integer(text: &mut String, metric: &proto::Metric, value: u64) {
        write_integer(text, value);
        Self::end(text, metric);
    }

    fn end(text: &mut String, metric: &proto::Metric) {
        // The crate uses 0 for an absent timestamp.
        if metric.timestamp_ms() != 0 {
            text.push(' ');
            text.push_str(itoa::Buffer::new().format(metric.timestamp_ms()));
        }
        text.push('\n');
    }
}
