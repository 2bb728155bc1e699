//! The samples of expositions.

use std::collections::BTreeMap;
use std::fmt;

use super::changes::Changes;
use crate::Metrics;
use crate::conformance::{self, Format};
use crate::exposition::rules::description::in_braces;

/// The samples of an exposition, by name and labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples(BTreeMap<Series, f64>);

/// A sample's name and its labels, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// Includes the suffix `_bucket`, `_sum` or `_count` of a histogram.
    pub name: String,
    /// Includes the default labels.
    pub labels: BTreeMap<String, String>,
}

/// As in PromQL; a value of more than 200 bytes is cut.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, in_braces(&self.labels))
    }
}

impl Samples {
    /// The samples that `metrics` would serve now.
    ///
    /// # Panics
    ///
    /// If the exposition cannot be parsed.
    #[must_use]
    #[track_caller]
    pub fn of(metrics: &Metrics) -> Self {
        Self::parse(&metrics.exposition()).expect("our own exposition is legal")
    }

    /// Parses a complete exposition in the text format.
    ///
    /// # Errors
    ///
    /// The first finding of the [check](crate::conformance::check) of the page, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_page(text.as_bytes(), Format::Text)
    }

    /// Parses a complete exposition. The bounds of buckets in protobuf are spelled as in OpenMetrics.
    ///
    /// ```
    /// use bot_metrics::conformance::Format;
    /// use bot_metrics::testing::Samples;
    ///
    /// let page = b"# TYPE orders counter\norders_total{side=\"buy\"} 2\n# EOF\n";
    /// let samples = Samples::parse_page(page, Format::OpenMetrics)?;
    /// assert_eq!(samples.value("orders_total", &[("side", "buy")]), Some(2.0));
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first finding of the [check](crate::conformance::check) of the page, with its line or message.
    pub fn parse_page(page: &[u8], format: Format) -> Result<Self, String> {
        let mut samples = BTreeMap::new();
        let findings = conformance::read(page, format, &mut |family| {
            for series in &family.series {
                let labels = series.labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
                let labels: BTreeMap<_, _> = labels.collect();
                for sample in conformance::samples(family, series) {
                    let mut labels = labels.clone();
                    labels.extend(sample.bound.map(|(name, bound)| (name.to_owned(), bound.to_owned())));
                    let name = format!("{}{}", family.name, sample.suffix);
                    samples.insert(Series { name, labels }, sample.value);
                }
            }
        });
        findings.first().map_or(Ok(Self(samples)), |finding| Err(finding.to_string()))
    }

    /// The value of the one series with this name and at least these labels; `None` if there is no such series.
    ///
    /// # Panics
    ///
    /// If several series match.
    #[must_use]
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut fitting = self.matching(name, labels);
        let found = fitting.next();
        if let (Some((one, _)), Some((other, _))) = (found, fitting.next()) {
            panic!("{name} with {labels:?} is several series, {one} and {other} among them");
        }
        found.map(|(_, value)| value)
    }

    /// The sum of all series with this name and at least these labels.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|(_, value)| value).sum()
    }

    /// Every series with this name and at least these labels.
    pub fn matching<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = (&'a Series, f64)> + 'a {
        self.iter().filter(move |(series, _)| {
            series.name == name
                && labels
                    .iter()
                    .all(|(name, value)| series.labels.get(*name).is_some_and(|found| found == value))
        })
    }

    /// The changes from this moment to `after`.
    #[must_use]
    pub fn until(&self, after: &Self) -> Changes {
        Changes::between(self, after)
    }

    /// The labels that every series has with the same value.
    pub(super) fn shared_labels(&self) -> BTreeMap<&str, &str> {
        let mut all = self.0.keys();
        let first = all.next().map(|series| &series.labels);
        let mut shared: BTreeMap<&str, &str> =
            first.into_iter().flatten().map(|(label, value)| (label.as_str(), value.as_str())).collect();
        for series in all {
            shared.retain(|label, value| series.labels.get(*label).is_some_and(|found| found == value));
        }
        shared
    }

    pub(super) fn get(&self, series: &Series) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// Every series, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, f64)> {
        self.0.iter().map(|(series, value)| (series, *value))
    }
}

impl FromIterator<(Series, f64)> for Samples {
    fn from_iter<I: IntoIterator<Item = (Series, f64)>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_escapes_and_infinities() {
        let text = "# HELP a b\n# TYPE a gauge\na{x=\"q\\\"\\\\\\n,}\",y=\"\"} +Inf\nb 2 1700000000\n";
        let samples = Samples::parse(text).expect("legal");
        assert_eq!(samples.value("a", &[("x", "q\"\\\n,}")]), Some(f64::INFINITY));
        assert_eq!(samples.value("b", &[]), Some(2.0));
        assert_eq!(samples.value("c", &[]), None);
    }

    #[test]
    fn an_invalid_line_is_rejected_with_its_number() {
        for (text, line) in [
            ("a 1\nnonsense\n", "line 2"),
            ("a{x=\"1\"\n", "line 1"),
            ("a{x=\"1\",x=\"1\"} 1\n", "line 1"),
            ("a 1\na 2\n", "line 2"),
            ("a{} one\n", "line 1"),
        ] {
            let error = Samples::parse(text).expect_err(text);
            assert!(error.starts_with(line), "{error}");
        }
    }
}
