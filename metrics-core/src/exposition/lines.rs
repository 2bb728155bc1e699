//! The lines of series, as the two text formats share them.

use std::time::Duration;

use prometheus::proto;

use super::crate_models::{counter_value, gauge_value};
use super::family_type::FamilyType;
use super::foreign_family::ForeignFamily;
use super::naming::Naming;
use super::spelling::{Beside, FamilyNames, FamilySpelling, Spelling};
use crate::catalogue::Family;
use crate::exemplars::BucketExemplar;
use crate::storage::Reading;

/// What the two text formats spell differently.
pub(super) trait Dialect: Copy + 'static {
    /// Whether buckets may have exemplars.
    const HAS_EXEMPLARS: bool = false;

    /// Whether there are lines for people.
    const HAS_COMMENTS: bool = false;

    /// The line that ends the exposition, if there is one.
    const LAST_LINE: &'static str = "";

    /// Writes the lines about a family, and returns the name of its samples.
    fn head(self, out: &mut String, name: &str, family_type: FamilyType, help: &str) -> String;

    /// Writes the bound of a bucket, or a quantile.
    fn bound(self, out: &mut String, bound: f64);

    /// Writes the time of a sample, with a space in front.
    fn time(self, out: &mut String, unix_ms: i64);

    /// The name of the sample with the time at which the counts of a series began, if series have one.
    fn created_name(self, _name: &str, _family_type: FamilyType) -> Option<String> {
        None
    }

    /// Whether a histogram or a summary has its sum.
    fn has_sum(self, _sum: f64, _lowest_bound: Option<f64>) -> bool {
        true
    }
}

impl<D: Dialect + FamilyNames> Spelling<String> for D {
    fn own(
        &self,
        out: &mut String,
        naming: &Naming,
        family: &'static Family,
    ) -> Box<dyn FamilySpelling<String>> {
        let name = naming.full_name(family);
        let mut spelling = LineSpelling::new(*self, out, &name, family.kind.into(), family.help);
        spelling.label_names = family.labels;
        for (name, value) in &naming.default_labels {
            write_label(&mut spelling.default_labels, name, value);
        }
        for bound in family.buckets.iter().copied().chain([f64::INFINITY]) {
            write(&mut spelling.bounds, [",le=\""]);
            self.bound(&mut spelling.bounds, bound);
            write(&mut spelling.bounds, ["\"} "]);
            spelling.bound_ends.push(spelling.bounds.len());
        }
        Box::new(spelling)
    }

    /// The series have their own labels and bounds.
    fn foreign(&self, out: &mut String, family: &ForeignFamily) -> Box<dyn FamilySpelling<String>> {
        Box::new(LineSpelling::new(*self, out, &family.name, family.family_type, &family.help))
    }

    fn has_exemplars(&self) -> bool {
        D::HAS_EXEMPLARS
    }

    fn comment(&self, out: &mut String, text: &str) {
        if D::HAS_COMMENTS {
            write(out, ["# ", text, "\n"]);
        }
    }

    fn end(&self, out: &mut String) {
        write(out, [D::LAST_LINE]);
    }
}

/// The series of one family.
struct LineSpelling<D> {
    dialect: D,
    family_type: FamilyType,
    /// The name of its samples, without suffixes.
    name: String,
    created_name: Option<String>,
    label_names: &'static [&'static str],
    /// The labels that end each series, each with a comma.
    default_labels: String,
    /// For each bucket `,le="0.5"} `, one after the other.
    bounds: String,
    /// The end of each of them.
    bound_ends: Vec<usize>,
    /// The labels of one series.
    labels: String,
    /// A line of one series' buckets up to its bound.
    bucket: String,
}

impl<D: Dialect> LineSpelling<D> {
    fn new(dialect: D, out: &mut String, name: &str, family_type: FamilyType, help: &str) -> Self {
        Self {
            dialect,
            family_type,
            name: dialect.head(out, name, family_type, help),
            created_name: dialect.created_name(name, family_type),
            label_names: &[],
            default_labels: String::new(),
            bounds: String::new(),
            bound_ends: Vec::new(),
            labels: String::new(),
            bucket: String::new(),
        }
    }

    fn histogram(&mut self, out: &mut String, buckets: &[u64], sum: f64, exemplars: &[BucketExemplar]) {
        let Self { dialect, name, labels, bucket, bounds, bound_ends, .. } = self;
        let mut exemplars = exemplars.iter().peekable();
        bucket.clear();
        write(bucket, [name, "_bucket{"]);
        bucket.push_str(labels);
        // Without labels there is nothing to separate from a bound by a comma.
        let comma = usize::from(labels.is_empty());
        let (mut count, mut start) = (0, 0);
        for (index, (&end, more)) in bound_ends.iter().zip(buckets).enumerate() {
            count = more.saturating_add(count);
            out.push_str(bucket);
            out.push_str(&bounds[start + comma..end]);
            write_integer(out, count);
            if let Some(exemplar) = exemplars.next_if(|exemplar| exemplar.bucket == index) {
                write_exemplar(*dialect, out, exemplar);
            }
            out.push('\n');
            start = end;
        }
        self.start(out, "_sum");
        write_number(out, sum);
        out.push('\n');
        self.start(out, "_count");
        write_integer(out, count);
        out.push('\n');
    }

    /// Writes a line up to its number. The braces are written even without labels.
    fn start(&self, out: &mut String, suffix: &str) {
        write(out, [&self.name, suffix, "{"]);
        out.push_str(&self.labels);
        write(out, ["} "]);
    }
}

impl<D: Dialect> FamilySpelling<String> for LineSpelling<D> {
    fn series(&mut self, out: &mut String, labels: &[&str], beside: Beside<'_>, value: Reading<'_>) {
        self.labels.clear();
        for (name, value) in self.label_names.iter().zip(labels) {
            write_label(&mut self.labels, name, value);
        }
        self.labels.push_str(&self.default_labels);
        // The comma after the last label is legal in 0.0.4, but other clients do not write it.
        self.labels.pop();
        match value {
            Reading::Counter(value) => {
                self.start(out, "");
                write_integer(out, value);
                out.push('\n');
            }
            Reading::Gauge(value) | Reading::FloatCounter(value) => {
                self.start(out, "");
                write_number(out, value);
                out.push('\n');
            }
            Reading::Histogram { buckets, sum } => self.histogram(out, buckets, sum, beside.exemplars),
        }
        if let (Some(name), Some(created)) = (&self.created_name, beside.created) {
            write(out, [name, "{"]);
            out.push_str(&self.labels);
            write(out, ["}"]);
            self.dialect.time(out, unix_ms(created));
            out.push('\n');
        }
    }

    fn foreign(&mut self, out: &mut String, metric: &proto::Metric) {
        let lines = ForeignLines { dialect: self.dialect, name: &self.name, metric };
        match self.family_type {
            FamilyType::Counter => lines.number(out, "", None, counter_value(metric)),
            FamilyType::Gauge => lines.number(out, "", None, gauge_value(metric)),
            FamilyType::Histogram => lines.histogram(out),
            FamilyType::Summary => lines.summary(out),
            // Rejected by the check.
            _ => {}
        }
    }
}

/// The lines of one series of a foreign family.
struct ForeignLines<'a, D> {
    dialect: D,
    name: &'a str,
    metric: &'a proto::Metric,
}

impl<D: Dialect> ForeignLines<'_, D> {
    fn histogram(&self, out: &mut String) {
        let histogram = self.metric.get_histogram();
        let (count, sum) = (histogram.get_sample_count(), histogram.get_sample_sum());
        // The bucket for +Inf is optional; its value is the count.
        let finite = histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound() != f64::INFINITY);
        for bucket in finite {
            self.integer(out, "_bucket", Some(("le", bucket.upper_bound())), bucket.cumulative_count());
        }
        self.integer(out, "_bucket", Some(("le", f64::INFINITY)), count);
        let lowest = histogram.get_bucket().first().map(proto::Bucket::upper_bound);
        if self.dialect.has_sum(sum, lowest) {
            self.number(out, "_sum", None, sum);
            self.integer(out, "_count", None, count);
        }
    }

    fn summary(&self, out: &mut String) {
        let summary = self.metric.get_summary();
        for quantile in summary.get_quantile() {
            self.number(out, "", Some(("quantile", quantile.quantile())), quantile.value());
        }
        if self.dialect.has_sum(summary.sample_sum(), None) {
            self.number(out, "_sum", None, summary.sample_sum());
        }
        self.integer(out, "_count", None, summary.sample_count());
    }

    fn number(&self, out: &mut String, suffix: &str, bound: Option<(&str, f64)>, value: f64) {
        self.start(out, suffix, bound);
        write_number(out, value);
        self.end(out);
    }

    fn integer(&self, out: &mut String, suffix: &str, bound: Option<(&str, f64)>, value: u64) {
        self.start(out, suffix, bound);
        write_integer(out, value);
        self.end(out);
    }

    /// Writes a line up to its value, with a bound as its last label. Without labels it has no braces.
    fn start(&self, out: &mut String, suffix: &str, bound: Option<(&str, f64)>) {
        write(out, [self.name, suffix]);
        let before = out.len();
        for pair in self.metric.get_label() {
            write(out, [if out.len() == before { "{" } else { "" }]);
            write_label(out, pair.name(), pair.value());
        }
        if let Some((label, bound)) = bound {
            write(out, [if out.len() == before { "{" } else { "" }, label, "=\""]);
            // Without the sign of a negative zero.
            self.dialect.bound(out, bound + 0.0);
            write(out, ["\","]);
        }
        if out.len() > before {
            out.pop();
            out.push('}');
        }
        out.push(' ');
    }

    fn end(&self, out: &mut String) {
        // The crate uses 0 for an absent timestamp.
        if self.metric.timestamp_ms() != 0 {
            self.dialect.time(out, self.metric.timestamp_ms());
        }
        out.push('\n');
    }
}

/// Writes these parts.
pub(super) fn write<const N: usize>(out: &mut String, parts: [&str; N]) {
    for part in parts {
        out.push_str(part);
    }
}

/// Writes the exemplar of a bucket after its count.
fn write_exemplar(dialect: impl Dialect, out: &mut String, exemplar: &BucketExemplar) {
    write(out, [" # {"]);
    let before = out.len();
    for (name, value) in exemplar.exemplar.labels() {
        write_label(out, name, value);
    }
    if out.len() > before {
        out.pop();
    }
    write(out, ["} "]);
    write_number(out, exemplar.value);
    dialect.time(out, unix_ms(exemplar.unix_time));
}

fn unix_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Writes a label and a comma.
fn write_label(out: &mut String, name: &str, value: &str) {
    write(out, [name, "=\""]);
    write_escaped(out, value, ['\\', '"', '\n']);
    write(out, ["\","]);
}

/// Writes a text with a backslash before each of these characters.
pub(super) fn write_escaped<const N: usize>(out: &mut String, text: &str, escaped: [char; N]) {
    let mut rest = text;
    while let Some(index) = rest.find(escaped) {
        let (before, special) = rest.split_at(index);
        // Each of them is one byte long.
        let (character, behind) = special.split_at(1);
        write(out, [before, "\\", if character == "\n" { "n" } else { character }]);
        rest = behind;
    }
    write(out, [rest]);
}

/// Writes a number as Prometheus parses it: infinities have a sign. Whole numbers have no point, as in other clients.
pub(super) fn write_number(out: &mut String, value: f64) {
    /// Above this not every integer is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value == f64::INFINITY {
        write(out, ["+Inf"]);
    } else if value == f64::NEG_INFINITY {
        write(out, ["-Inf"]);
    } else if value.is_nan() {
        write(out, ["NaN"]);
    } else if value.fract() == 0.0 && value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        write(out, [itoa::Buffer::new().format(value as i64)]);
    } else {
        write(out, [ryu::Buffer::new().format_finite(value)]);
    }
}

/// Writes a bound as every client has to write it, so that its series is the same: at least one decimal, and an
/// exponent from a million on and below 0.0001. Prometheus writes those of the protobuf format in the same way.
#[cfg(any(test, feature = "check", feature = "operations", feature = "server"))]
pub(crate) fn write_canonical(out: &mut String, bound: f64) {
    if !bound.is_finite() {
        return write_number(out, bound);
    }
    let spelled = format!("{bound:e}");
    let (digits, exponent) = spelled.split_once('e').expect("it is written with an exponent");
    let exponent: i32 = exponent.parse().expect("it is an integer");
    if (-4..6).contains(&exponent) || bound == 0.0 {
        write(out, [&format!("{bound:?}")]);
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        write(out, [&format!("{digits}e{sign}{:02}", exponent.abs())]);
    }
}

/// A bound as the text format spells it, and as OpenMetrics and the protobuf format do: `0.00001` and `1e-05`.
#[cfg(feature = "operations")]
pub(crate) fn bound_spellings(bound: f64) -> [String; 2] {
    let spelled = |write: fn(&mut String, f64)| {
        let mut text = String::new();
        write(&mut text, bound);
        text
    };
    [spelled(write_number), spelled(write_canonical)]
}

fn write_integer(out: &mut String, value: u64) {
    write(out, [itoa::Buffer::new().format(value)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_were_and_whole_ones_have_no_point() {
        let spelled = |value| {
            let mut out = String::new();
            write_number(&mut out, value);
            out
        };
        for (value, expected) in [
            (0.0, "0"),
            (-1.0, "-1"),
            (40.125, "40.125"),
            (1e15, "1000000000000000"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(spelled(value), expected);
        }
        for value in [1e300, 5e-324, 1e16, -1.5e-7, f64::MAX] {
            assert_eq!(spelled(value).parse(), Ok(value), "{value}");
        }
    }
}
